#include "util/json_object.h"

namespace zraid {

JsonObject::JsonObject(const std::string& text) : json_(Json::parse(text).value_or(nullptr)) {}

std::string JsonObject::text(const char* name, const std::string& otherwise) const
{
    const Json* field = json_.find(name);
    const std::string* text = field ? field->text() : nullptr;
    return text ? *text : otherwise;
}

std::uint64_t JsonObject::number(const char* name) const
{
    const Json* field = json_.find(name);
    return field ? field->number().value_or(0) : 0;
}

bool JsonObject::flag(const char* name) const
{
    const Json* field = json_.find(name);
    return field && field->flag().value_or(false);
}

} // namespace zraid
