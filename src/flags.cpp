#include "flags.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "r1fit/error.hpp"
#include "r1fit/flag_values.hpp"
#include "r1fit/suggest.hpp"
#include "r1fit/text_table.hpp"

namespace r1fit {
namespace {

/// The help of a command in 80 columns; CLI11's own breaks no lines.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool positional) const override {
    constexpr std::size_t text_column = 26;
    constexpr std::size_t width = 80;
    std::string lead = "  " + make_option_name(option, positional) + make_option_opts(option);
    lead.resize(std::max(text_column, lead.size() + 1), ' ');
    return wrap(lead, option->get_description(), width);
  }
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_positional() ? "" : CLI::Formatter::make_option_opts(option);
  }
  std::string make_option_usage(const CLI::Option* option) const override { return option->get_name(true); }
};

}  // namespace

/// Sorts the arguments, and complains of them in our words.
class Flags::App : public CLI::App {
 public:
  using CLI::App::App;

  [[noreturn]] void complain(const CLI::ParseError& error, std::span<const std::string_view> commands) const;
};

Flags::Flags(std::string_view command, std::string_view summary)
    : app_(std::make_unique<App>(std::string(summary), std::string(command))) {
  const FlagDoc& help =
      doc_.flags.emplace_back(FlagDoc{"-h,--help", "", "the help of the command", heading_, false, {}});
  app_->set_help_flag(help.name, help.help);
}

Flags::~Flags() = default;

void Flags::heading(const std::string& text) {
  heading_ = text;
  app_->option_defaults()->group(text);
}

void Flags::value(std::string name, std::string help, std::string type, Reader read) {
  doc_.flags.push_back({name, type, help, heading_, false, {}});
  auto& slot = slots_.emplace_back(Slot{std::move(name), std::move(type), {}, std::move(read)});
  app_->add_option(slot.name, slot.texts, std::move(help))
      ->type_name(slot.type)
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Flags::values(std::string name, std::string help, std::string type, Reader read) {
  value(std::move(name), std::move(help), std::move(type), std::move(read));
  slots_.back().repeatable = true;
  doc_.flags.back().repeatable = true;
}

void Flags::choice(const std::string& name, std::string help, std::string type,
                   std::span<const std::string_view> words, std::function<void(std::size_t)> take) {
  value(name, std::move(help), std::move(type), [name, words, take = std::move(take)](std::string_view text) {
    take(parse_word(name, text, words));
  });
  doc_.flags.back().words.assign(words.begin(), words.end());
}

void Flags::flag(const std::string& name, std::string help, bool& target) {
  doc_.flags.push_back({name, "", help, heading_, false, {}});
  app_->add_flag(name, target, std::move(help));
  const std::size_t comma = name.find(',');  // of "-q,--quiet"
  bare_.push_back(name.substr(0, comma));
  if (comma != std::string::npos) bare_.push_back(name.substr(comma + 1));
}

void Flags::positional(std::string name, std::string help, bool required, std::vector<std::string>& target,
                       std::vector<std::string_view> words, std::string then) {
  doc_.argument = {name, help, required, {words.begin(), words.end()}, std::move(then)};
  app_->add_option(std::move(name), target, std::move(help))->required(required);
}

std::string Flags::help() {
  app_->formatter(std::make_shared<HelpFormatter>());
  std::string text = CLI::detail::find_and_replace(app_->help(), "\n\n\n", "\n\n");
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

/// The arguments from `first` with every value tied to its flag, "--vram -5" as "--vram=-5": what follows a
/// flag that takes a value is its value, so that a wrong one is complained about as such. Throws where
/// there is none.
std::vector<std::string> Flags::tied(const std::vector<std::string>& args, std::size_t first) const {
  std::vector<std::string> out;
  for (std::size_t i = first; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    if (arg == "--") {
      out.insert(out.end(), args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
      break;
    }
    const std::size_t equals = arg.find('=');
    const std::string_view name = arg.substr(0, equals);
    if (equals != std::string_view::npos && std::ranges::find(bare_, name) != bare_.end())
      throw Error(std::string(name) + " takes no value");
    const auto slot = std::ranges::find(slots_, name, &Slot::name);
    if (slot == slots_.end()) {
      out.emplace_back(arg);
      continue;
    }
    const bool apart = equals == std::string_view::npos;
    const bool absent = apart && (i + 1 == args.size() || args[i + 1].starts_with("--"));
    const std::string value = absent ? "" : apart ? args[++i] : std::string(arg.substr(equals + 1));
    if (value.empty()) throw Error(slot->name + " takes a value (" + slot->type + ")");
    out.push_back(slot->name + "=" + value);
  }
  return out;
}

std::string Flags::given_under(std::string_view heading) const {
  for (const FlagDoc& flag : doc_.flags) {
    if (flag.heading != heading) continue;
    std::string name = flag.name.substr(0, flag.name.find(','));
    if (app_->get_option(name)->count() > 0) return name;
  }
  return {};
}

void Flags::read_all() {
  for (const Slot& slot : slots_) {
    if (slot.texts.size() > 1 && !slot.repeatable) throw Error(slot.name + " was given more than once");
    for (const std::string& text : slot.texts) slot.read(text);
  }
}

void Flags::App::complain(const CLI::ParseError& error, std::span<const std::string_view> commands) const {
  // By type: what an error calls itself is the name of the app as often as not.
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    throw Error(std::string(error.what()) + "; see " + get_name() + " --help");
  }
  const std::vector<std::string> extras = remaining();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr || extras.empty()) throw Error(error.what());
  // A wrong flag before a word that may be its value.
  const auto is_flag = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
  const auto flags_end = std::ranges::find(extras, "--");
  const auto wrong = std::find_if(extras.begin(), flags_end, is_flag);
  if (wrong == flags_end) {
    const bool late = std::ranges::find(commands, extras.front()) != commands.end();
    throw Error("unexpected argument " + in_quotes(extras.front()) + (late ? "; a command comes first" : ""));
  }
  const std::string flag = wrong->substr(0, wrong->find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string near = nearest_clause(nearest(flag, known));
  throw Error("no flag " + in_quotes(flag) + (near.empty() ? "; see " + get_name() + " --help" : near));
}

bool Flags::parse(const std::vector<std::string>& args, std::size_t first,
                  std::span<const std::string_view> commands) {
  std::vector<std::string> rest = tied(args, first);
  std::ranges::reverse(rest);  // CLI11 takes them from the back
  try {
    app_->parse(rest);
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::ParseError& error) {
    app_->complain(error, commands);
  }
  return true;
}

}  // namespace r1fit
