#pragma once

#include "util/error.h"
#include "util/log.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace zraid {

/// Undoes the steps of a command that fails half way, last first. What cannot be undone is logged,
/// and the rest is undone all the same.
class Rollback
{
public:
    Rollback() = default;
    Rollback(const Rollback&) = delete;
    Rollback& operator=(const Rollback&) = delete;
    Rollback(Rollback&&) = delete;
    Rollback& operator=(Rollback&&) = delete;
    ~Rollback()
    {
        for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
            try {
                step->second();
            } catch (const std::exception& e) {
                log().warn("undo: {}: {}", step->first, explain(e));
            }
        }
    }

    /// @param what the undoing, for the log: "remove the image"
    void add(std::string what, std::function<void()> undo)
    {
        steps_.emplace_back(std::move(what), std::move(undo));
    }
    /// All went well: nothing is undone.
    void keep() { steps_.clear(); }

private:
    std::vector<std::pair<std::string, std::function<void()>>> steps_;
};

} // namespace zraid
