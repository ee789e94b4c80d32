#include "util/json_object.h"

#include <gtest/gtest.h>

namespace zraid {
namespace {

TEST(JsonObjectTest, GivesItsFields)
{
    const JsonObject json(R"({"device": "zram1", "worst": 18446744073709551615, "empty": ""})");
    EXPECT_EQ(json.text("device"), "zram1");
    EXPECT_EQ(json.text("device", "?"), "zram1");
    EXPECT_EQ(json.text("empty", "?"), "");
    EXPECT_EQ(json.number("worst"), UINT64_MAX);
}

TEST(JsonObjectTest, TakesAWrongFieldForNone)
{
    const JsonObject json(R"({"text": 5, "null": null, "list": ["x"], "number": "7", "minus": -7,
                              "float": 1.5})");
    for (const char* name : {"text", "null", "list", "missing"}) {
        EXPECT_EQ(json.text(name), "") << name;
        EXPECT_EQ(json.text(name, "?"), "?") << name;
    }
    for (const char* name : {"number", "null", "list", "minus", "float", "missing"})
        EXPECT_EQ(json.number(name), 0U) << name;
}

TEST(JsonObjectTest, TakesABrokenTextForNone)
{
    for (const char* text : {"", "{", "{}", "[]", "[{\"a\": 1}]", "7", "null", "\"a\"",
                             "{\"a\": \"\xff\"}", "{\"a\": 1} x"}) {
        const JsonObject json(text);
        EXPECT_EQ(json.text("a", "?"), "?") << text;
        EXPECT_EQ(json.number("a"), 0U) << text;
    }
}

} // namespace
} // namespace zraid
