#include "support/failure.h"
#include "util/uuid.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zraid {
namespace {

using test::failure;
using test::failure_code;

constexpr const char* kText = "0123abcd-4567-89ef-fedc-ba9876543210";
constexpr const char* kMdText = "0123abcd:456789ef:fedcba98:76543210";

TEST(UuidTest, IsSpelledAsLibvirtAndAsMdadmDo)
{
    const Uuid uuid({0x01, 0x23, 0xab, 0xcd, 0x45, 0x67, 0x89, 0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76,
                     0x54, 0x32, 0x10});
    EXPECT_EQ(uuid.text(), kText);
    EXPECT_EQ(uuid.md_text(), kMdText);
}

TEST(UuidTest, IsReadInEitherSpelling)
{
    const Uuid uuid = Uuid::parse(kText);
    EXPECT_EQ(Uuid::parse(kMdText), uuid);
    EXPECT_EQ(Uuid::parse("0123abcd456789effedcba9876543210"), uuid);
    EXPECT_EQ(Uuid::parse("0123ABCD-4567-89EF-FEDC-BA9876543210"), uuid);
    EXPECT_EQ(uuid.text(), kText);
    EXPECT_NE(uuid, Uuid());
    EXPECT_EQ(Uuid().text(), "00000000-0000-0000-0000-000000000000");
}

TEST(UuidTest, RefusesWhatIsNone)
{
    for (const char* text :
         {"", "x", "0123abcd-4567-89ef-fedc-ba987654321", "0123abcd-4567-89ef-fedc-ba98765432100",
          "0123abcd-4567-89ef-fedc-ba987654321g", "0123abcd 4567 89ef fedc ba9876543210",
          "{0123abcd-4567-89ef-fedc-ba9876543210}"}) {
        EXPECT_EQ(failure([&] { Uuid::parse(text); }), "'" + std::string(text) + "' is no UUID");
        EXPECT_EQ(failure_code([&] { Uuid::parse(text); }), 2) << text;
    }
}

TEST(UuidTest, RandomOnesDifferAndSaySo)
{
    std::set<std::string> texts;
    for (int i = 0; i < 100; ++i) {
        const Uuid uuid = Uuid::random();
        texts.insert(uuid.text());
        EXPECT_EQ(uuid.text().at(14), '4') << uuid.text() << ": the version";
        EXPECT_NE(std::string("89ab").find(uuid.text().at(19)), std::string::npos) << uuid.text();
        EXPECT_EQ(Uuid::parse(uuid.text()), uuid);
        EXPECT_EQ(Uuid::parse(uuid.md_text()), uuid);
    }
    EXPECT_EQ(texts.size(), 100U);
}

} // namespace
} // namespace zraid
