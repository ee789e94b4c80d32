#include "util/log_fields.h"

#include <algorithm>
#include <exception>

namespace zraid {

namespace {

/// More than one line can be about: of errors that nobody told of.
constexpr std::size_t kMostLeft = 16;

struct ThreadFields
{
    LogFields active;
    LogFields left; ///< by exceptions
};

ThreadFields& of_this_thread()
{
    thread_local ThreadFields fields;
    return fields;
}

bool contains(const LogFields& fields, const LogFields::value_type& field)
{
    return std::find(fields.begin(), fields.end(), field) != fields.end();
}

} // namespace

LogField::LogField(std::string name, std::string value)
    : field_(std::move(name), std::move(value)), exceptions_(std::uncaught_exceptions())
{
    of_this_thread().active.push_back(field_);
}

LogField::~LogField()
{
    ThreadFields& fields = of_this_thread();
    const auto own = std::find(fields.active.rbegin(), fields.active.rend(), field_);
    if (own != fields.active.rend())
        fields.active.erase(std::next(own).base());
    if (std::uncaught_exceptions() <= exceptions_ || fields.left.size() >= kMostLeft ||
        contains(fields.left, field_))
        return;
    try {
        fields.left.push_back(std::move(field_));
    } catch (const std::exception&) { // no memory: the line goes without
        return;
    }
}

LogFields take_log_fields()
{
    ThreadFields& fields = of_this_thread();
    LogFields taken;
    for (const auto& field : fields.active) {
        if (!contains(taken, field))
            taken.push_back(field);
    }
    const auto is_free = [&](const LogFields::value_type& field) {
        return std::none_of(fields.active.begin(), fields.active.end(),
                            [&](const auto& other) { return other.first == field.first; });
    };
    std::copy_if(fields.left.begin(), fields.left.end(), std::back_inserter(taken), is_free);
    std::erase_if(fields.left, is_free);
    return taken;
}

} // namespace zraid
