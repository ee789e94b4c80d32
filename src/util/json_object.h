#pragma once

#include "util/json.h"

#include <cstdint>
#include <string>

namespace zraid {

/// One of our own small JSON files as it is read back. They are saved whole, so what is not as we
/// write it was edited by somebody: such a field, or file, is as good as none.
class JsonObject
{
public:
    explicit JsonObject(const std::string& text);

    std::string text(const char* name, const std::string& otherwise = {}) const;

    /// 0 for what is none
    std::uint64_t number(const char* name) const;

    /// false for what is none
    bool flag(const char* name) const;

private:
    Json json_;
};

} // namespace zraid
