#include "command_line.h"

#include <optional>

#include <CLI/CLI.hpp>

#include <fmt/core.h>

namespace zraid::cli {

Option& Option::required()
{
    option_->required();
    return *this;
}

Option& Option::type_name(const std::string& name)
{
    option_->type_name(name);
    return *this;
}

Option& Option::capture_default_str()
{
    option_->capture_default_str();
    return *this;
}

Option& Option::envname(const std::string& variable)
{
    option_->envname(variable);
    return *this;
}

Option& Option::range(std::int64_t least, std::int64_t most)
{
    option_->check(CLI::Range(least, most));
    return *this;
}

Option& Option::range(double least, double most)
{
    option_->check(CLI::Range(least, most));
    return *this;
}

Option& Option::one_of(const std::vector<std::string>& words)
{
    option_->check(CLI::IsMember(words));
    return *this;
}

Option& Option::excludes(const Option& other)
{
    option_->excludes(other.option_);
    return *this;
}

bool Option::is_given() const
{
    return option_->count() != 0;
}

template <typename Value>
Option OptionSet::add_option(const std::string& name, Value& value, const std::string& description)
{
    return Option(app_->add_option(name, value, description));
}

template Option OptionSet::add_option(const std::string&, std::string&, const std::string&);
template Option OptionSet::add_option(const std::string&, unsigned&, const std::string&);
template Option OptionSet::add_option(const std::string&, std::int64_t&, const std::string&);
template Option OptionSet::add_option(const std::string&, std::optional<int>&, const std::string&);
template Option OptionSet::add_option(const std::string&, std::optional<double>&,
                                      const std::string&);

Option OptionSet::add_flag(const std::string& name, bool& value, const std::string& description)
{
    return Option(app_->add_flag(name, value, description));
}

void Subcommand::callback(std::function<void()> act)
{
    app().callback(std::move(act));
}

CommandLine::CommandLine(const std::string& description, const std::string& program)
    : CommandLine(std::make_unique<CLI::App>(description, program))
{
}

CommandLine::CommandLine(std::unique_ptr<CLI::App> app) : OptionSet(*app), owned_(std::move(app)) {}

CommandLine::~CommandLine() = default;

void CommandLine::describe_help(const std::string& description)
{
    app().set_help_flag("-h,--help", description);
}

void CommandLine::add_version(const std::string& version, const std::string& description)
{
    app().set_version_flag("--version", version, description);
}

Subcommand CommandLine::add_subcommand(const std::string& name, const std::string& description)
{
    return Subcommand(*app().add_subcommand(name, description));
}

void CommandLine::require_subcommand()
{
    app().require_subcommand(1);
}

void CommandLine::before_acting(std::function<void()> act)
{
    app().parse_complete_callback(std::move(act));
}

bool CommandLine::parse(int argc, const char* const* argv)
{
    try {
        app().parse(argc, argv);
        return true;
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0) { // --help, --version
            app().exit(e);
            return false;
        }
        const auto words = app().remaining();
        if (app().get_require_subcommand_min() > 0 && app().get_subcommands().empty() &&
            !words.empty())
            throw CommandLineError(fmt::format("there is no command '{}'", words.front()));
        throw CommandLineError(e.what());
    }
}

} // namespace zraid::cli
