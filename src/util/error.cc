#include "util/error.h"

#include <algorithm>
#include <system_error>

namespace zraid {

namespace {

/// Visits an error and all that are nested in it, outermost first.
template <typename F>
void for_each_in_chain(const std::exception& error, F&& visit)
{
    visit(error);
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception& inner) {
        for_each_in_chain(inner, std::forward<F>(visit));
    }
}

} // namespace

std::string errno_text(int code)
{
    return std::generic_category().message(code);
}

SystemError::SystemError(int code, const std::string& what, std::string next)
    : Error(what + ": " + errno_text(code), std::move(next)), code_(code)
{
}

std::string explain(const std::exception& error)
{
    std::string text;
    std::string next;
    for_each_in_chain(error, [&](const std::exception& e) {
        text += (text.empty() ? "" : ": ") + std::string(e.what());
        // The innermost advice is nearest to the cause.
        if (const auto* ours = dynamic_cast<const Error*>(&e); ours && !ours->next().empty())
            next = ours->next();
    });
    if (!next.empty())
        text += ". Next: " + next;
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

int exit_code(const std::exception& error)
{
    int code = 1;
    for_each_in_chain(error, [&](const std::exception& e) {
        if (dynamic_cast<const UsageError*>(&e))
            code = 2;
    });
    return code;
}

} // namespace zraid
