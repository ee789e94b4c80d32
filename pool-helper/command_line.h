#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// The library behind this is compiled in command_line.cc alone.
namespace CLI {
class App;
class Option;
} // namespace CLI

namespace zraid::cli {

/// An option or a positional argument, to be told more of. Lives as long as its command line.
class Option
{
public:
    Option() = default;
    explicit Option(CLI::Option* option) : option_(option) {}

    Option& required();
    /// @param name of its value in the help, such as "SIZE"
    Option& type_name(const std::string& name);
    /// The help tells the value that the variable has now.
    Option& capture_default_str();
    /// @param variable of the environment that is asked where the option is not given
    Option& envname(const std::string& variable);
    Option& range(std::int64_t least, std::int64_t most);
    Option& range(double least, double most);
    Option& one_of(const std::vector<std::string>& words);
    /// Not both of them.
    Option& excludes(const Option& other);

    bool is_given() const;

private:
    CLI::Option* option_ = nullptr;
};

/// What options and arguments are declared on.
class OptionSet
{
public:
    explicit OptionSet(CLI::App& app) : app_(&app) {}

    /// @param name "--name" or "-n,--name"; without dashes it is a positional argument
    /// @param value gets what is given; std::string, unsigned, std::int64_t, or an std::optional of
    /// int or double. It outlives the parsing.
    template <typename Value>
    Option add_option(const std::string& name, Value& value, const std::string& description);
    Option add_flag(const std::string& name, bool& value, const std::string& description);

protected:
    CLI::App& app() const { return *app_; }

private:
    CLI::App* app_;
};

class Subcommand : public OptionSet
{
public:
    using OptionSet::OptionSet;

    /// @param act called once all of the command line is read; what it throws leaves parse()
    void callback(std::function<void()> act);
};

/// The command line is not as the program wants it.
class CommandLineError : public std::runtime_error
{
public:
    using std::runtime_error::runtime_error;
};

/// The command line of a program.
class CommandLine : public OptionSet
{
public:
    /// @param program its name
    CommandLine(const std::string& description, const std::string& program);
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;
    CommandLine(CommandLine&&) = delete;
    CommandLine& operator=(CommandLine&&) = delete;

    /// What the help says of --help itself, here and for each subcommand added after this.
    void describe_help(const std::string& description);
    /// Adds --version.
    /// @param version what it prints
    void add_version(const std::string& version, const std::string& description);

    Subcommand add_subcommand(const std::string& name, const std::string& description);
    /// From now on, one has to be given.
    void require_subcommand();
    /// @param act called when all is read and found good, before a subcommand acts
    void before_acting(std::function<void()> act);

    /// Reads the command line and lets the subcommand act that is given.
    /// @return false: it was --help or --version, which is printed
    /// @throws CommandLineError
    bool parse(int argc, const char* const* argv);

private:
    explicit CommandLine(std::unique_ptr<CLI::App> app);

    std::unique_ptr<CLI::App> owned_;
};

} // namespace zraid::cli
