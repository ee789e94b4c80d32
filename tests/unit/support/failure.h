#pragma once

#include "util/error.h"

#include <concepts>
#include <string>
#include <utility>

namespace zraid::test {

/// What an administrator would read about the failure of f: the whole chain, and what to do next.
template <std::invocable F>
std::string failure(F&& f)
{
    try {
        std::forward<F>(f)();
    } catch (const std::exception& e) {
        return explain(e);
    }
    return "no error";
}

/// The exit code of a program that ends with what f throws; 0 if it throws nothing.
template <std::invocable F>
int failure_code(F&& f)
{
    try {
        std::forward<F>(f)();
    } catch (const std::exception& e) {
        return exit_code(e);
    }
    return 0;
}

} // namespace zraid::test
