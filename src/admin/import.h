#pragma once

#include "admin/admin.h"

#include <cstdint>
#include <string>
#include <vector>

namespace zraid {

/// What becomes of one array of ZRAM-RAID's.
enum class ImportState
{
    ready,    ///< can be taken up with its data
    imported, ///< is a pool already
    done,     ///< was made one now, or brought up
    refused,  ///< stays as it is, `why` says the reason
};

std::string to_string(ImportState state);

struct ImportEntry
{
    std::string pool; ///< name: "md0" for array 0; empty if its id is none
    int md_number = -1;
    std::string image;
    std::uint64_t size = 0; ///< of the image, bytes; 0: not known
    ImportState state = ImportState::refused;
    std::string why;    ///< with what to do next
    std::string remark; ///< what else changes
};

struct ImportReport
{
    std::vector<ImportEntry> entries;
    std::string memory_limit; ///< what becomes of zraid.conf's memory-limit, for people
    std::vector<std::string> warnings;

    bool has_refused() const;
};

/// Makes pools of the arrays that ZRAM-RAID's configuration names. Their images are taken up with
/// their data (take_over_leg); what is overwritten is kept in /etc/zraid/imported/POOL.superblock.
/// The guest goes on having the whole array, under the same number. One that fails keeps no other
/// from being done; killed, the same again does what is missing.
/// @param file of ZRAM-RAID's
/// @param apply false: nothing is changed, the report tells what would be
/// @throws Error if the file cannot be read, or used
ImportReport import_zram_raid(const Admin& admin, const std::string& file, bool apply);

} // namespace zraid
