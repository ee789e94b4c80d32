#pragma once

#include "devices/image.h"
#include "pools/pool_settings.h"
#include "util/paths.h"
#include "util/uuid.h"

#include <cstdint>
#include <string>

namespace zraid {

/// How a pool hands out its space.
enum class PoolType
{
    disk,    ///< GPT on the array; a volume is a partition, /dev/mdNpM
    logical, ///< an LVM volume group, named like the pool; a volume is a logical volume
    fs,      ///< an XFS, mounted; a volume is a file
    whole,   ///< a domain has the array itself; what is in it is the guest's, never written by us
};

/// One pool as the administrator defined it: /etc/zraid/pools/NAME.xml.
struct PoolDefinition
{
    std::string name;
    Uuid uuid; ///< of the array, and of the libvirt pool
    PoolType type = PoolType::disk;
    std::string target;                     ///< of an fs pool: where it is mounted; else empty
    std::string image;                      ///< absolute path
    ImageKind image_kind = ImageKind::file; ///< so that a lost device is never made as a file
    std::uint64_t size = 0;                 ///< of the image, bytes
    int md_number = -1;
    std::uint64_t bitmap_chunk = 0; ///< bytes
    PoolSettings settings;

    std::string md_kernel_name() const; ///< "md100"
    std::string md_device() const { return "/dev/" + md_kernel_name(); }
    /// Name in md's superblock: "zraid:" and as much of the pool's name as fits there.
    std::string array_name() const;

    bool operator==(const PoolDefinition&) const = default;
};

/// Bytes at the front of an image that md keeps for itself (metadata and bitmap) in arrays that
/// zraid makes. An imported one has its own; what counts is Leg::data_offset, or the superblock.
inline constexpr std::uint64_t kDataOffset = 1 << 20;
/// Bounds of an image's size, bytes. The upper one is zram's.
inline constexpr std::uint64_t kMinImageSize = std::uint64_t{16} << 20U;
inline constexpr std::uint64_t kMaxImageSize = std::uint64_t{16} << 40U;

/// Largest chunk of a bitmap, bytes.
inline constexpr std::uint64_t kMaxBitmapChunk = std::uint64_t{1} << 30U;

/// Where an fs pool is mounted if nothing else is said.
std::string default_target(const std::string& pool);

/// Is a pool of this type mounted, so that its definition has a target?
bool has_target(PoolType type);

std::string to_string(PoolType type);
/// @throws UsageError that lists the valid words
PoolType parse_pool_type(const std::string& text);

/// @throws UsageError unless it is [A-Za-z0-9][A-Za-z0-9._-]{0,63}
void check_pool_name(const std::string& name);

/// Chunk of the bitmap for an image of this size, bytes: 16 MiB, and more where the bitmap would
/// outgrow the space that mdadm keeps for it.
std::uint64_t default_bitmap_chunk(std::uint64_t image_size);
/// @throws UsageError unless the chunk is a power of two that suits the size
void check_bitmap_chunk(std::uint64_t chunk, std::uint64_t image_size);

std::string to_xml(const PoolDefinition& pool);

/// Reads a definition. Checks it against the schema first, so that what is wrong is named with its
/// line and column; then what a schema cannot say (name, sizes).
/// @param source the file's name, for messages
/// @throws Error
PoolDefinition pool_from_xml(const Paths& paths, const std::string& xml, const std::string& source);

} // namespace zraid
