#include "consent.h"

#include "util/error.h"

#include <cctype>
#include <iostream>

#include <unistd.h>

namespace zraid::cli {

bool is_yes(std::string answer)
{
    std::erase_if(answer, [](unsigned char c) { return std::isspace(c) != 0; });
    for (char& c : answer)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return answer == "y" || answer == "yes";
}

void Consent::add(OptionSet& command)
{
    command.add_flag("--yes", yes_, "do not ask before data are destroyed");
}

void Consent::need(const std::function<std::string()>& what) const
{
    if (yes_)
        return;
    // The question goes to stderr, so that it is seen when stdout goes to a file.
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDERR_FILENO) != 1)
        throw UsageError("this destroys data, and there is no terminal to ask on",
                         "add --yes if that is what you want");
    std::cerr << what() << " Go on? [y/N] " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (std::cin.eof())
        std::cerr << '\n';
    if (!is_yes(answer))
        throw Error("nothing was changed, since the answer was not yes");
}

} // namespace zraid::cli
