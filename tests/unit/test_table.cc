#include "table.h"

#include <gtest/gtest.h>

namespace zraid::cli {
namespace {

TEST(TableTest, HasColumnsAsWideAsTheyNeed)
{
    Table table({"NAME", "STATE", "IMAGE"});
    table.add({"vm", "disk-only", "/vm.img"});
    table.add({"a-long-name", "", "/x"});
    EXPECT_EQ(table.text(), "NAME         STATE      IMAGE\n"
                            "vm           disk-only  /vm.img\n"
                            "a-long-name             /x\n");
}

TEST(TableTest, ColoursTakeNoRoom)
{
    Table table({"NAME", "STATE", "IMAGE"});
    table.add({"vm", "\x1b[32mmirrored\x1b[0m", "/vm.img"});
    table.add({"b", "disk-only", "/x"});
    EXPECT_EQ(table.text(), "NAME  STATE      IMAGE\n"
                            "vm    \x1b[32mmirrored\x1b[0m   /vm.img\n"
                            "b     disk-only  /x\n");
}

TEST(TableTest, IsItsHeadingWithoutRows)
{
    EXPECT_EQ(Table({"NAME", "STATE"}).text(), "NAME  STATE\n");
}

TEST(TableTest, HasNoBlanksAtTheEndOfALine)
{
    Table table({"NAME", "USERS"});
    table.add({"vm", ""});
    EXPECT_EQ(table.text(), "NAME  USERS\nvm\n");
}

TEST(TableTest, LinesUpLettersOfAllLanguages)
{
    Table table({"IMAGE", "NAME"});
    table.add({"/größe", "vm"});
    table.add({"/groesse", "a"});
    EXPECT_EQ(table.text(), "IMAGE     NAME\n/größe    vm\n/groesse  a\n");
}

} // namespace
} // namespace zraid::cli
