#pragma once

#include <concepts>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace zraid {

/// Something failed. what() says operation, object and cause; next() what the administrator can do
/// about it (empty if there is nothing to do). Layers add their context with in_context().
class Error : public std::runtime_error
{
public:
    explicit Error(const std::string& what, std::string next = {})
        : std::runtime_error(what), next_(std::move(next))
    {
    }

    const std::string& next() const noexcept { return next_; }

private:
    std::string next_;
};

/// The caller asked for something that makes no sense: wrong option, bad name or size. Exit code 2.
class UsageError : public Error
{
public:
    using Error::Error;
};

/// A system call failed; the text ends with that of the errno.
class SystemError : public Error
{
public:
    /// @param code an errno value
    /// @param what operation and object, such as "open '/dev/loop0'"
    SystemError(int code, const std::string& what, std::string next = {});

    int code() const noexcept { return code_; }

private:
    int code_;
};

/// Text of an errno value.
std::string errno_text(int code);

/// Calls f and puts `what` in front of any error that comes out of it.
template <std::invocable F>
decltype(auto) in_context(const std::string& what, F&& f)
{
    try {
        return std::forward<F>(f)();
    } catch (const std::exception&) {
        std::throw_with_nested(Error(what));
    }
}

/// The whole chain of an error in one line, outermost first, then what to do next.
std::string explain(const std::exception& error);

/// Exit code of a program that ends with this error: 2 when a UsageError is in the chain, else 1.
int exit_code(const std::exception& error);

} // namespace zraid
