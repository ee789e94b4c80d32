#include "monitor/own_writes.h"

#include "devices/md.h"
#include "util/error.h"
#include "util/log.h"

#include <fmt/core.h>

namespace zraid {

namespace {

/// Seconds, as the kernel prints them. A guest's system writes back in bursts that are 5 s apart
/// (Linux), or less.
constexpr const char* kRare = "10.000";
/// md's default, which it prints as a tick more.
constexpr const char* kUsual = "0.204";

void set_delay(const Paths& paths, int md_number, bool rare)
{
    try {
        const auto now = read_md_attribute(paths, md_number, "safe_mode_delay");
        if (now && (*now == kRare) != rare)
            write_md(paths, md_number, "safe_mode_delay", rare ? kRare : kUsual);
    } catch (const std::exception& e) {
        log().info("/dev/md{}: {}", md_number, explain(e));
    }
}

} // namespace

void make_own_writes_rare(const Paths& paths, int md_number)
{
    set_delay(paths, md_number, true);
}

void make_own_writes_usual(const Paths& paths, int md_number)
{
    set_delay(paths, md_number, false);
}

} // namespace zraid
