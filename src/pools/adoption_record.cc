#include "pools/adoption_record.h"

#include "devices/loop.h"
#include "pools/schema.h"
#include "pools/store.h"
#include "util/error.h"
#include "util/files.h"
#include "util/json.h"
#include "util/json_object.h"
#include "util/size.h"
#include "util/xml_text.h"

#include <algorithm>

#include <fmt/core.h>

namespace zraid {

namespace {

constexpr const char* kRecordSuffix = ".json";

const char* to_word(AdoptionPhase phase)
{
    switch (phase) {
    case AdoptionPhase::adopting:
        return "adopting";
    case AdoptionPhase::adopted:
        return "adopted";
    case AdoptionPhase::releasing:
        return "releasing";
    }
    return "";
}

const char* to_word(AdoptionWay way)
{
    return way == AdoptionWay::copied ? "copied" : "inserted";
}

template <typename Word>
Word word_of(const std::string& text, std::initializer_list<Word> words, const char* field)
{
    for (const Word word : words) {
        if (text == to_word(word))
            return word;
    }
    throw Error(fmt::format("'{}' is no {}", text, field));
}

void check(bool good, const char* what)
{
    if (!good)
        throw Error(fmt::format("its {} is not as zraid-pool adopt writes it", what));
}

Qcow2Layout read_layout(const JsonObject& json)
{
    Qcow2Layout layout;
    layout.cluster_size = json.number("qcow2_cluster_size");
    layout.compat = json.text("qcow2_compat");
    layout.refcount_bits = json.number("qcow2_refcount_bits");
    layout.lazy_refcounts = json.flag("qcow2_lazy_refcounts");
    layout.extended_l2 = json.flag("qcow2_extended_l2");
    layout.compression = json.text("qcow2_compression");
    check(is_valid(layout), "qcow2 layout");
    return layout;
}

AdoptionRecord read(const Paths& paths, const JsonObject& json, const std::string& source)
{
    AdoptionRecord record;
    record.domain = json.text("domain");
    record.domain_uuid = Uuid::parse(json.text("domain_uuid"));
    record.target = json.text("target");
    record.image = json.text("image");
    record.format = json.text("format");
    record.size = json.number("size");
    using Way = AdoptionWay;
    using Phase = AdoptionPhase;
    record.way = word_of(json.text("way"), {Way::inserted, Way::copied}, "way");
    record.phase =
        word_of(json.text("phase"), {Phase::adopting, Phase::adopted, Phase::releasing}, "phase");
    record.domain_xml = json.text("domain_xml");
    record.disk_xml = json.text("disk_xml");
    record.pool = pool_from_xml(paths, json.text("pool"), source);
    record.new_stamp = json.text("new_stamp");
    record.pool_stamp = json.text("pool_stamp");
    check(!record.domain.empty() && is_xml_text(record.domain), "domain");
    check(!record.target.empty() && is_xml_text(record.target), "target");
    check(record.image.starts_with('/') && is_xml_text(record.image) &&
              record.image == std::filesystem::path(record.image).lexically_normal(),
          "image");
    check(record.format == "raw" || (record.format == "qcow2" && record.way == AdoptionWay::copied),
          "format");
    if (record.format == "qcow2")
        record.qcow2 = read_layout(json);
    check(record.size > 0 && record.size <= kMaxImageSize &&
              record.pool.size == adopted_size(record.size),
          "size");
    check(record.pool.image == adopted_image_path(record.image), "pool");
    return record;
}

} // namespace

std::uint64_t adopted_volume_size(std::uint64_t image_size)
{
    return round_up(image_size, kSectorSize);
}

std::uint64_t adopted_size(std::uint64_t image_size)
{
    return std::max(kAdoptedFront + adopted_volume_size(image_size) + MiB, kMinImageSize);
}

std::string adopted_image_path(const std::string& image)
{
    return image + ".zraid";
}

std::string kept_image_path(const std::string& image)
{
    return image + ".before-zraid";
}

std::string new_image_path(const std::string& image)
{
    return image + ".zraid-new";
}

std::string to_json(const AdoptionRecord& record)
{
    Json json{{"domain", record.domain},         {"domain_uuid", record.domain_uuid.text()},
              {"target", record.target},         {"image", record.image},
              {"format", record.format},         {"size", record.size},
              {"way", to_word(record.way)},      {"phase", to_word(record.phase)},
              {"domain_xml", record.domain_xml}, {"disk_xml", record.disk_xml},
              {"pool", to_xml(record.pool)}};
    if (record.way == AdoptionWay::copied) {
        json.add("new_stamp", record.new_stamp);
        json.add("pool_stamp", record.pool_stamp);
    }
    if (record.format == "qcow2") {
        json.add("qcow2_cluster_size", record.qcow2.cluster_size);
        json.add("qcow2_compat", record.qcow2.compat);
        json.add("qcow2_refcount_bits", record.qcow2.refcount_bits);
        json.add("qcow2_lazy_refcounts", record.qcow2.lazy_refcounts);
        json.add("qcow2_extended_l2", record.qcow2.extended_l2);
        json.add("qcow2_compression", record.qcow2.compression);
    }
    json.sort();
    return json.dump(2) + "\n";
}

AdoptionRecord parse_adoption_record(const Paths& paths, const std::string& json,
                                     const std::string& source)
{
    try {
        return read(paths, JsonObject(json), source);
    } catch (const Error& e) {
        throw Error(fmt::format("{}: {}", source, e.what()),
                    "nothing was changed; bring the record back from a backup of /etc");
    }
}

bool AdoptionStore::contains(const std::string& pool) const
{
    return std::filesystem::exists(file(pool));
}

AdoptionRecord AdoptionStore::load(const std::string& pool) const
{
    check_pool_name(pool);
    refuse_world_writable(folder());
    refuse_world_writable(file(pool));
    AdoptionRecord record = parse_adoption_record(paths_, read_file(file(pool)), file(pool));
    if (record.pool.name != pool)
        throw Error(fmt::format("{}: is about pool '{}'", file(pool).string(), record.pool.name),
                    "give the file its old name");
    return record;
}

std::optional<AdoptionRecord> AdoptionStore::find(const std::string& domain,
                                                  const std::string& target) const
{
    for (const std::string& entry : entries_of(folder())) {
        if (!entry.ends_with(kRecordSuffix) || entry.starts_with('.'))
            continue;
        AdoptionRecord record =
            load(entry.substr(0, entry.size() - std::string(kRecordSuffix).size()));
        if ((record.domain == domain || record.domain_uuid.text() == domain) &&
            record.target == target)
            return record;
    }
    return std::nullopt;
}

void AdoptionStore::save(const AdoptionRecord& record) const
{
    make_folder(folder(), 0700);
    refuse_world_writable(folder());
    save_atomically(file(record.pool.name), to_json(record), 0600);
}

void AdoptionStore::remove(const std::string& pool) const
{
    if (std::filesystem::exists(folder())) {
        remove_durably(map_file(pool));
        remove_durably(file(pool));
        std::filesystem::remove(file(pool).string() + ".new");
        forget_pool_schema(paths_, file(pool));
        std::error_code others_are_there;
        std::filesystem::remove(folder(), others_are_there);
    }
}

void refuse_adopted(const Paths& paths, const std::string& pool)
{
    const AdoptionStore store(paths);
    if (!store.contains(pool))
        return;
    const AdoptionRecord record = store.load(pool);
    throw Error(fmt::format("it holds disk '{}' of domain '{}', which it adopted", record.target,
                            record.domain),
                fmt::format("zraid-pool release {} {} gives the domain its image back",
                            record.domain, record.target));
}

std::filesystem::path AdoptionStore::map_file(const std::string& pool) const
{
    return folder() / (pool + ".map");
}

} // namespace zraid
