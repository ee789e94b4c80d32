#pragma once

#include "pools/definition.h"

#include <ostream>
#include <string>

namespace zraid {

/// For gtest's messages.
inline void PrintTo(const PoolDefinition& pool, std::ostream* stream)
{
    *stream << to_xml(pool);
}

} // namespace zraid

namespace zraid::test {

/// A definition that nothing is wrong with: array 0123abcd-…, /dev/md100, 64 MiB, without libvirt.
inline PoolDefinition pool_definition(const std::string& name = "vm")
{
    PoolDefinition pool;
    pool.name = name;
    pool.uuid = Uuid::parse("0123abcd-4567-89ef-fedc-ba9876543210");
    pool.image = "/images/" + name + ".img";
    pool.size = std::uint64_t{64} << 20U;
    pool.md_number = 100;
    pool.bitmap_chunk = std::uint64_t{4} << 20U;
    pool.settings.libvirt = false;
    return pool;
}

} // namespace zraid::test
