// What mdadm's monitor calls for each event, in the place of the administrator's own PROGRAM:
//   zraid-md-alert EVENT DEVICE [COMPONENT]
// See docs/quiet.md.

#include "admin/md_alert.h"
#include "util/error.h"
#include "util/fd.h"
#include "util/journal_sink.h"
#include "util/log.h"
#include "util/log_fields.h"
#include "util/paths.h"

#include <cerrno>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <unistd.h>

namespace {

using namespace zraid;

/// Turns into the administrator's program, which so has the environment, the output and the time
/// that mdadm gives it. Does not return unless that fails.
void turn_into(std::vector<std::string>& words)
{
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::execv(arguments.front(), arguments.data());
    throw SystemError(errno, "run '" + words.front() + "'");
}

} // namespace

int main(int argc, char** argv)
{
    open_standard_fds();
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() < 3 || arguments.size() > 4) {
        std::cerr << "zraid-md-alert: mdadm's arguments are missing: EVENT DEVICE [COMPONENT]\n";
        return 2;
    }
    const std::string device = arguments[2];
    const LogField field("MD", device.substr(device.rfind('/') + 1));
    try {
        log().set({{std::make_shared<JournalSink>("zraid-md-alert")}});
        MdAlert alert{arguments[1], arguments[2], {}};
        if (arguments.size() == 4)
            alert.component = arguments[3];
        std::vector<std::string> words = handle_md_alert(Paths::system(), alert);
        if (!words.empty())
            turn_into(words);
        return 0;
    } catch (const std::exception& e) {
        log().error("{}", explain(e));
        std::cerr << "zraid-md-alert: " << explain(e) << '\n';
        return 2; // as mdadm's own child that cannot run the program
    }
}
