#include "domains/references.h"

#include "devices/block_tree.h"
#include "domains/backing_chain.h"
#include "domains/domain_xml.h"
#include "domains/pool_finder.h"
#include "layout/layout.h"
#include "pools/stable_name.h"
#include "util/error.h"
#include "util/files.h"
#include "util/log.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>

#include <pugixml.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace zraid {

namespace {

namespace fs = std::filesystem;

/// The domain in one of libvirt's files: that of a running one has its state around it.
std::string domain_in(const std::string& text)
{
    pugi::xml_document document;
    if (!document.load_buffer(text.data(), text.size()))
        throw Error("it is no XML");
    pugi::xml_node domain = document.child("domain");
    if (!domain)
        domain = document.child("domstatus").child("domain");
    if (!domain)
        throw Error("it has no <domain>");
    std::ostringstream xml;
    domain.print(xml);
    return xml.str();
}

/// As they are defined, and as they run.
std::vector<DomainDisks> stored_domains(const Paths& paths)
{
    std::vector<DomainDisks> domains;
    for (const auto& base : {paths.host_etc, paths.host_run}) {
        for (const char* driver : {"qemu", "libxl"}) {
            const fs::path folder = base / "libvirt" / driver;
            for (const std::string& entry : entries_of(folder)) {
                if (!entry.ends_with(".xml"))
                    continue;
                try {
                    const auto text = read_if_there(folder / entry);
                    if (!text)
                        continue;
                    DomainDisks domain = parse_domain(domain_in(*text));
                    domain.sources = with_backing_chains(paths, domain.sources);
                    domains.push_back(std::move(domain));
                } catch (const std::exception& e) {
                    log().warn("'{}': what the domain uses is not known: {}",
                               (folder / entry).string(), explain(e));
                }
            }
        }
    }
    return domains;
}

void add_once(std::vector<std::string>& names, const std::string& name)
{
    if (std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
}

/// By its text, with every link followed that is there: what is not up has no node.
int number_of(const Paths& paths, const DiskSource& source)
{
    if (!source.pool.empty())
        return md_number_in_path(paths, paths.device(source.volume));
    return source.path.starts_with('/') ? md_number_in_path(paths, follow_links(source.path)) : -1;
}

bool is_volume(const Paths& paths, const PoolDefinition& pool, const std::string& volume,
               const DiskSource& source)
{
    if (!source.pool.empty())
        return source.pool == pool.name && source.volume == volume;
    if (const auto stable = parse_stable_name(paths, source.path, {pool.name}))
        return stable->device == volume;
    const auto layout = layout_of(paths, pool);
    if (layout->volume_in_path(source.path) == volume)
        return true;
    fs::path known = layout->volume_path(volume);
    if (known.string().starts_with("/dev/"))
        known = paths.device(known.lexically_relative("/dev"));
    std::error_code code;
    return follow_links(source.path) == known ||
           fs::equivalent(source.path, known, code); // another link to it
}

} // namespace

std::set<int> md_numbers_of_domains(const Paths& paths)
{
    std::set<int> numbers;
    for (const DomainDisks& domain : stored_domains(paths)) {
        for (const DiskSource& source : domain.sources) {
            if (const int number = number_of(paths, source); number >= 0)
                numbers.insert(number);
        }
    }
    return numbers;
}

std::vector<std::string> domains_on_pool(const Paths& paths, const PoolDefinition& pool)
{
    std::vector<std::string> names;
    for (const DomainDisks& domain : stored_domains(paths)) {
        try {
            const auto pools = pools_of_domain(paths, domain);
            if (std::any_of(pools.begin(), pools.end(),
                            [&](const PoolDefinition& found) { return found.name == pool.name; }))
                add_once(names, domain.name);
        } catch (const std::exception& e) {
            log().info("domain '{}': {}", domain.name, explain(e));
        }
    }
    return names;
}

std::vector<std::string> domains_on_volume(const Paths& paths, const PoolDefinition& pool,
                                           const std::string& volume)
{
    std::vector<std::string> names;
    for (const DomainDisks& domain : stored_domains(paths)) {
        if (std::any_of(
                domain.sources.begin(), domain.sources.end(),
                [&](const DiskSource& source) { return is_volume(paths, pool, volume, source); }))
            add_once(names, domain.name);
    }
    return names;
}

void refuse_references(const std::vector<std::string>& domains, const std::string& subject)
{
    if (domains.empty())
        return;
    throw Error(fmt::format("{} is named by the definition of {} '{}'", subject,
                            domains.size() == 1 ? "domain" : "domains", fmt::join(domains, "', '")),
                "give them another disk (virsh edit), or say --keep-references: they will not "
                "start then");
}

} // namespace zraid
