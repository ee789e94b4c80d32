#pragma once

#include "devices/qcow2.h"
#include "pools/definition.h"
#include "util/paths.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zraid {

/// Bytes in front of an adopted image: md's part, and the partition table up to its first
/// partition.
inline constexpr std::uint64_t kAdoptedFront = std::uint64_t{2} << 20U;

/// Bytes of the partition that covers an image of this length: whole sectors.
std::uint64_t adopted_volume_size(std::uint64_t image_size);
/// Bytes of the pool's image around it: the front, and at least 1 MiB of zeros behind, where the
/// second partition table is, and where nobody finds what old superblock the image may end with.
std::uint64_t adopted_size(std::uint64_t image_size);

/// How an image came into its pool.
enum class AdoptionWay
{
    inserted, ///< the same file, with more around its bytes
    copied,   ///< a new file; the old one stays as it was under another name
};

enum class AdoptionPhase
{
    adopting,
    adopted,
    releasing,
};

/// What is needed to finish an adoption or to undo it: /etc/zraid/adopted/POOL.json.
struct AdoptionRecord
{
    std::string domain;
    Uuid domain_uuid;
    std::string target;         ///< "vda"
    std::string image;          ///< path of the image as the domain had it, links followed
    std::string format = "raw"; ///< of that image: "raw" or "qcow2"
    std::uint64_t size = 0;     ///< bytes of the guest's disk; of a raw image its exact length
    AdoptionWay way = AdoptionWay::inserted;
    AdoptionPhase phase = AdoptionPhase::adopting;
    std::string domain_xml; ///< as it was before
    std::string disk_xml;   ///< its <disk>
    PoolDefinition pool;
    Qcow2Layout qcow2; ///< of that image, if it is one
    // Of a copied one whose release has copied the disk back:
    std::string new_stamp;  ///< content_stamp() of the new file; empty: it is not complete
    std::string pool_stamp; ///< file_stamp() of the pool's image that it was copied from

    /// What the domain gets.
    std::string device() const { return pool.md_device() + "p1"; }

    bool operator==(const AdoptionRecord&) const = default;
};

/// Path of the image of a pool that adopts this one.
std::string adopted_image_path(const std::string& image);
/// Where an image that was copied into its pool is kept.
std::string kept_image_path(const std::string& image);
/// Where the disk is copied to when it is released, until it has its old name.
std::string new_image_path(const std::string& image);

std::string to_json(const AdoptionRecord& record);
/// Checks everything: it decides what is done to files.
/// @param source the file's name, for messages
/// @throws Error
AdoptionRecord parse_adoption_record(const Paths& paths, const std::string& json,
                                     const std::string& source);

/// The folder of records. Written and removed under the lock of the pool.
class AdoptionStore
{
public:
    explicit AdoptionStore(Paths paths) : paths_(std::move(paths)) {}

    bool contains(const std::string& pool) const;
    AdoptionRecord load(const std::string& pool) const;
    /// The record of a domain's disk. @param domain its name or UUID
    std::optional<AdoptionRecord> find(const std::string& domain, const std::string& target) const;
    void save(const AdoptionRecord& record) const;
    void remove(const std::string& pool) const;

    /// Where the bytes of the image lay before they were shifted; there while they may be on the
    /// way.
    std::filesystem::path map_file(const std::string& pool) const;

private:
    std::filesystem::path folder() const { return paths_.etc / "adopted"; }
    std::filesystem::path file(const std::string& pool) const
    {
        return folder() / (pool + ".json");
    }

    Paths paths_;
};

/// @throws Error if the pool is one that adopted a disk: only its release takes it away
void refuse_adopted(const Paths& paths, const std::string& pool);

} // namespace zraid
