#include "util/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

TEST(JsonTest, WritesEveryKindInTheOrderOfTheFields)
{
    Json list = Json::array();
    list.push_back({{"x", 1}});
    list.push_back("y");
    const Json json{{"text", "a \"b\"\n\x1f"},
                    {"null", nullptr},
                    {"yes", true},
                    {"minus", -7},
                    {"large", UINT64_MAX},
                    {"share", 2.5},
                    {"whole", 2.0},
                    {"third", 1.0 / 3},
                    {"list", list},
                    {"none", Json::array()},
                    {"path", std::string("/")},
                    {"inner", {{"k", "v"}}}};
    EXPECT_EQ(json.dump(), R"({"text":"a \"b\"\n\u001f","null":null,"yes":true,"minus":-7,)"
                           R"("large":18446744073709551615,"share":2.5,"whole":2.0,)"
                           R"("third":0.3333333333333333,"list":[{"x":1},"y"],"none":[],)"
                           R"("path":"/","inner":{"k":"v"}})");
}

TEST(JsonTest, WritesLinesForPeople)
{
    Json json{{"b", "x"}, {"a", Json::array()}};
    json.add("c", 3);
    EXPECT_EQ(json.dump(2), "{\n  \"b\": \"x\",\n  \"a\": [],\n  \"c\": 3\n}");
    json.sort();
    EXPECT_EQ(json.dump(), R"({"a":[],"b":"x","c":3})");
}

TEST(JsonTest, TextThatIsNoUtf8)
{
    const Json json{{"name", "\xff"}};
    EXPECT_ANY_THROW(json.dump());
    EXPECT_EQ(json.dump(-1, Json::BadText::replace), "{\"name\":\"\xef\xbf\xbd\"}");
}

TEST(JsonTest, ReadsWhatItWrites)
{
    const std::string text = R"({"a":[1,-2,2.5,"x",null,true],"b":{"c":18446744073709551615}})";
    const auto json = Json::parse(text);
    ASSERT_TRUE(json);
    EXPECT_EQ(json->dump(), text);
    EXPECT_EQ(json->find("b")->find("c")->number(), UINT64_MAX);
    const Json::Elements& list = *json->find("a")->elements();
    EXPECT_EQ(list[0].number(), 1U);
    EXPECT_TRUE(list[0].is_integer());
    EXPECT_EQ(list[1].number(), std::nullopt);
    EXPECT_TRUE(list[1].is_integer());
    EXPECT_FALSE(list[2].is_integer());
    EXPECT_EQ(*list[3].text(), "x");
    EXPECT_TRUE(list[4].is_null());
    EXPECT_EQ(list[5].flag(), true);
    EXPECT_EQ(json->find("none"), nullptr);
    EXPECT_EQ(list[0].find("a"), nullptr);
}

TEST(JsonTest, TheOrderOfWhatIsReadIsThatOfTheNames)
{
    EXPECT_EQ(Json::parse(R"({"b": 1, "a": 2, "b": 3})")->dump(), R"({"a":2,"b":3})");
}

TEST(JsonTest, RefusesWhatIsNone)
{
    for (const char* text : {"", "{", "{}}", "nothing", "{\"a\": \"\xff\"}"})
        EXPECT_FALSE(Json::parse(text)) << text;
    EXPECT_TRUE(Json::parse(std::string(60, '[') + std::string(60, ']')));
    EXPECT_FALSE(Json::parse(std::string(500'000, '[') + std::string(500'000, ']')));
}

} // namespace
} // namespace zraid
