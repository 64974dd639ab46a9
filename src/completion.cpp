#include "r1fit/completion.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "flag_uses.hpp"
#include "r1fit/lookup.hpp"

namespace r1fit {
namespace {

// ---- what may stand where -----------------------------------------------------------------------------

/// What completes a value: words, or one of these.
enum class Source : std::uint8_t {
  nothing,  ///< a number, a size
  words,    ///< a closed list
  files,
  folders,
  gpus,
  hosts,
  hardware,  ///< GPUs and hosts
  models,
  quants,
  engines,
  configurations,  ///< MODEL[:QUANT]
  names,           ///< any record of the catalogue
};

struct NamedSource {
  std::string_view name;
  Source source;
};

/// NAME says nothing of its kind, so here the flag does.
constexpr std::array kFlagSources{
    NamedSource{"--gpu", Source::gpus},       NamedSource{"--cpu", Source::hosts},
    NamedSource{"--model", Source::models},   NamedSource{"--quant", Source::quants},
    NamedSource{"--engine", Source::engines},
};

constexpr std::array kArgumentSources{
    NamedSource{"MODEL", Source::configurations},
    NamedSource{"HW...", Source::hardware},
    NamedSource{"NAME", Source::names},
};

template <std::size_t size>
Source source_in(const std::array<NamedSource, size>& known, std::string_view name) {
  const auto found = std::ranges::find(known, name, &NamedSource::name);
  return found == known.end() ? Source::nothing : found->source;
}

/// FILE, FILE.gguf, DIR.
Source source_of_path(std::string_view type) {
  if (type.starts_with("FILE")) return Source::files;
  return type.starts_with("DIR") ? Source::folders : Source::nothing;
}

/// What may stand in one place.
struct Value {
  Source source = Source::nothing;
  std::vector<std::string> words;  ///< where the source is words
};

Value value_of(const FlagDoc& flag) {
  if (!flag.words.empty()) return {Source::words, flag.words};
  const Source path = source_of_path(flag.type);
  return {path != Source::nothing ? path : source_in(kFlagSources, flag.name), {}};
}

/// An argument of a command.
struct Place {
  std::string type;  ///< "MODEL"
  Value value;
  bool more = false;  ///< "FILE...": there may be several
};

std::vector<Place> places_of(const ArgumentDoc& argument) {
  std::vector<Place> places;
  if (argument.name.empty()) return places;
  const bool more = argument.name.ends_with("...");
  if (!argument.words.empty()) {
    places.push_back({argument.name, {Source::words, argument.words}, more});
  } else {
    const Source path = source_of_path(argument.name);
    const Source source = path != Source::nothing ? path : source_in(kArgumentSources, argument.name);
    places.push_back({argument.name, {source, {}}, more});
  }
  if (!argument.then.empty()) places.push_back({argument.then, {source_of_path(argument.then), {}}});
  return places;
}

// ---- names and text -----------------------------------------------------------------------------------

/// Read by a shell as itself, wherever it stands.
bool plain(std::string_view name) {
  constexpr std::string_view marks = ".-_+@";
  return !name.empty() && name.front() != '-' && std::ranges::all_of(name, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

std::string joined(const auto& parts, std::string_view between) {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

template <class Record>
std::string ids(const List<Record>& list) {
  std::vector<std::string_view> found;
  for (const Record& record : list) {
    if (plain(record.id)) found.push_back(record.id);
  }
  return joined(found, " ");
}

/// Ids, and the first short form where it means that model alone: 32b.
std::string model_names(const Catalog& catalog) {
  std::vector<std::string_view> found;
  for (const Model& model : catalog.models) {
    if (plain(model.id)) found.push_back(model.id);
    if (model.aliases.empty()) continue;
    const Text alias = model.aliases.front();
    const Lookup<Model> meant = find_model(catalog, alias);
    if (plain(alias) && std::holds_alternative<const Model*>(meant)) found.push_back(alias);
  }
  return joined(found, " ");
}

/// The lists of names, each with the word that the scripts call it by.
struct NameList {
  std::string_view word;
  std::string names;
};

std::vector<NameList> name_lists(const Catalog& catalog) {
  return {{"models", model_names(catalog)},
          {"quants", ids(catalog.quants)},
          {"gpus", ids(catalog.gpus)},
          {"hosts", ids(catalog.hosts)},
          {"engines", ids(catalog.engines)}};
}

std::string_view word_of(Source source) {
  constexpr std::array<std::string_view, 12> words{"",       "",        "files",          "folders",
                                                   "gpus",   "hosts",   "hardware",       "models",
                                                   "quants", "engines", "configurations", "names"};
  return words.at(static_cast<std::size_t>(source));
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

/// `text` between single quotes, `inside` in place of a quote.
std::string quoted(std::string text, std::string_view inside) {
  replace_all(text, "'", inside);
  return "'" + text + "'";
}

/// Some commands, and lines of script that hold for each of them.
struct Branch {
  std::vector<std::string_view> commands;
  std::vector<std::string> lines;
};

/// The flags, in runs that the same commands take; `line` writes one of them.
std::vector<Branch> branches_of(const std::vector<FlagUse>& uses, const auto& line) {
  std::vector<Branch> branches;
  for (const FlagUse& use : uses) {
    if (branches.empty() || branches.back().commands != use.commands) branches.push_back({use.commands, {}});
    branches.back().lines.push_back(line(*use.flag));
  }
  return branches;
}

/// The arguments, those that several commands take alike once; `line` writes the one at a place, from 0 on.
std::vector<Branch> branches_of(const std::vector<CommandDoc>& commands, const auto& line) {
  std::vector<Branch> branches;
  for (const CommandDoc& command : commands) {
    std::vector<std::string> lines;
    for (const Place& place : places_of(command.argument)) lines.push_back(line(place, lines.size()));
    if (lines.empty()) continue;
    const auto known = std::ranges::find(branches, lines, &Branch::lines);
    if (known == branches.end()) {
      branches.push_back({{command.word}, std::move(lines)});
    } else {
      known->commands.push_back(command.word);
    }
  }
  return branches;
}

/// As bash and zsh write it: a list that grows by what the command takes.
std::string cases(const std::vector<Branch>& branches, std::string_view list) {
  std::string text;
  for (const Branch& branch : branches) {
    text +=
        "  case $command in\n    " + joined(branch.commands, "|") + ")\n      " + std::string(list) + "+=(\n";
    for (const std::string& line : branch.lines) text += "        " + line + "\n";
    text += "      )\n      ;;\n  esac\n";
  }
  return text;
}

std::vector<std::string_view> command_words(const ProgramDoc& program) {
  std::vector<std::string_view> words;
  for (const CommandDoc& command : program.commands) words.push_back(command.word);
  return words;
}

// ---- bash -------------------------------------------------------------------------------------------------

/// "f16:q8_0", "@gpus", or nothing.
std::string bash_value(const Value& value) {
  if (value.source == Source::words) return joined(value.words, ":");
  return value.source == Source::nothing ? "" : "@" + std::string(word_of(value.source));
}

constexpr std::string_view kBashStart =
    R"(# Completion of r1fit in bash 4.3 or newer, made by `r1fit completion bash`.
# source it from ~/.bashrc, or put it where bash-completion looks; it does without that package.

)";

constexpr std::string_view kBashEnd = R"(
# Adds to COMPREPLY those of VALUES $1 that begin with $2, in upper or lower case.
_r1fit_offer() {
  local words=() word
  case $1 in
    @files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$2")
      return
      ;;
    @folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$2")
      return
      ;;
    @configurations)
      if [[ $2 == *:* ]]; then
        read -ra words <<<"$_r1fit_quants"
        words=("${words[@]/#/${2%%:*}:}")
      else
        read -ra words <<<"$_r1fit_models"
      fi
      ;;
    @hardware) read -ra words <<<"$_r1fit_gpus $_r1fit_hosts" ;;
    @names) read -ra words <<<"$_r1fit_models $_r1fit_quants $_r1fit_gpus $_r1fit_hosts $_r1fit_engines" ;;
    @*)
      local list=_r1fit_${1#@}
      read -ra words <<<"${!list}"
      ;;
    *) IFS=: read -ra words <<<"$1" ;;
  esac
  for word in "${words[@]}"; do
    if [[ ${word,,} == "${2,,}"* ]]; then COMPREPLY+=("$word"); fi
  done
}

# Sets `values` to what follows the flag $1 of `flags`; fails where nothing does.
_r1fit_value() {
  local entry names
  for entry in "${flags[@]}"; do
    names=${entry%%[+=]*}
    if [[ $entry == *=* && ,$names, == *",$1,"* ]]; then
      values=${entry#*=}
      return 0
    fi
  done
  return 1
}

# Adds to COMPREPLY the flags that begin with $1 and are not among $2 yet.
_r1fit_offer_flags() {
  local entry name names
  for entry in "${flags[@]}"; do
    IFS=, read -ra names <<<"${entry%%[+=]*}"
    for name in "${names[@]}"; do
      if [[ ${entry%%=*} != *+ && $2 == *" $name "* ]]; then continue 2; fi
    done
    for name in "${names[@]}"; do
      if [[ $name == "$1"* ]]; then COMPREPLY+=("$name"); fi
    done
  done
}

_r1fit() {
  # The words as typed: bash parts them at ':' and '=' as well.
  local IFS=$' \t\n' rest=${COMP_LINE:0:COMP_POINT} words=() lead word i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    lead=${rest%%[![:space:]]*}
    rest=${rest#"$lead"}
    word=${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then word=$rest; fi
    rest=${rest#"$word"}
    if ((i == 0)) || [[ -n $lead ]]; then words+=("$word"); else words[-1]+=$word; fi
  done
  local current=${words[-1]} quote=''
  if [[ $current == [\'\"]* ]]; then
    quote=${current:0:1}
    current=${current:1}
  fi

  COMPREPLY=()
  local command=recommend first=1 flags=() arguments=()
  if ((${#words[@]} == 2)) && [[ $current != -* ]]; then
    _r1fit_offer "$_r1fit_commands" "$current"
    return
  fi
  if [[ ${words[1]} == -* ]]; then
    flags=(--version)
  else
    command=${words[1]}
    first=2
  fi
  _r1fit_takes

  local given=' ' values='' awaited='' place=0
  for word in "${words[@]:first:${#words[@]}-first-1}"; do
    if [[ -n $awaited ]]; then
      awaited=''
    elif [[ $word == -* ]]; then
      given+="${word%%=*} "
      if [[ $word != *=* ]] && _r1fit_value "$word"; then awaited=yes; fi
    elif ((place + 1 < ${#arguments[@]})) || [[ ${arguments[place]-} != *+ ]]; then
      ((place += 1))
    fi
  done

  local tied=''
  if [[ -n $awaited ]]; then
    _r1fit_offer "$values" "$current"
  elif [[ $current == --*=* ]]; then
    tied=${current%%=*}=
    current=${current#*=}
    if _r1fit_value "${tied%=}"; then _r1fit_offer "$values" "$current"; fi
  elif [[ $current == -* ]] || ((place >= ${#arguments[@]})); then
    _r1fit_offer_flags "$current" "$given"
  else
    _r1fit_offer "${arguments[place]%+}" "$current"
  fi

  # Bash replaces only what follows the last character that it parts words at.
  local typed=$tied$current breaks=${COMP_WORDBREAKS//[^:=]/} kept=''
  if [[ -z $quote && -n $breaks && $typed == *[$breaks]* ]]; then kept=${typed%"${typed##*[$breaks]}"}; fi
  for i in "${!COMPREPLY[@]}"; do
    word=$tied${COMPREPLY[i]}
    COMPREPLY[i]=${word#"$kept"}
  done
}

complete -F _r1fit r1fit
)";

std::string bash_script(const ProgramDoc& program, const Catalog& catalog) {
  std::string text(kBashStart);
  for (const NameList& list : name_lists(catalog))
    text += "_r1fit_" + std::string(list.word) + "='" + list.names + "'\n";
  text += "_r1fit_commands=" + joined(command_words(program), ":") + "\n";

  const auto flag = [](const FlagDoc& doc) {
    const std::string value = doc.type.empty() ? "" : "=" + bash_value(value_of(doc));
    return doc.name + (doc.repeatable ? "+" : "") + value;
  };
  const auto argument = [](const Place& place, std::size_t /*at*/) {
    return "'" + bash_value(place.value) + (place.more ? "+" : "") + "'";
  };
  text +=
      "\n# What `command` takes. A flag is NAMES[+][=VALUES], with + where it may be repeated, an argument "
      "is\n"
      "# VALUES[+]. VALUES are words with ':' between them, or @ and the name of a list.\n"
      "_r1fit_takes() {\n";
  text += cases(branches_of(flag_uses(program.commands), flag), "flags") +
          cases(branches_of(program.commands, argument), "arguments") + "}\n";
  return text + std::string(kBashEnd);
}

// ---- zsh --------------------------------------------------------------------------------------------------

std::string zsh_quoted(std::string text) { return quoted(std::move(text), "'\\''"); }

/// What _arguments is to do for a value.
std::string zsh_action(const Value& value) {
  switch (value.source) {
    case Source::nothing:
      return " ";
    case Source::words:
      return "(" + joined(value.words, " ") + ")";
    case Source::files:
      return "_files";
    case Source::folders:
      return "_files -/";
    case Source::configurations:
      return "_r1fit_configurations";
    default:
      return "_r1fit_names " + std::string(word_of(value.source));
  }
}

/// A flag as _arguments takes it.
std::string zsh_flag(const FlagDoc& flag) {
  std::string help = flag.help;
  for (const std::string_view mark : {"\\", "[", "]"}) replace_all(help, mark, "\\" + std::string(mark));
  std::string message = flag.type;
  replace_all(message, ":", "\\:");
  const std::vector<std::string_view> names = names_of(flag);
  const std::string after = (flag.type.empty() ? "[" : "=[") + help + "]" +
                            (flag.type.empty() ? "" : ":" + message + ":" + zsh_action(value_of(flag)));
  if (names.size() == 1) return zsh_quoted((flag.repeatable ? "*" : "") + std::string(names.front()) + after);
  std::string text;
  for (const std::string_view name : names) {
    // "-o=" of _arguments would take a value tied to a short flag, which r1fit does not.
    const bool is_short = !name.starts_with("--") && !flag.type.empty();
    const std::string excluded = flag.repeatable ? "*" : "(" + joined(names, " ") + ")";
    text +=
        (text.empty() ? "" : " ") + zsh_quoted(excluded + std::string(name) + after.substr(is_short ? 1 : 0));
  }
  return text;
}

constexpr std::string_view kZshEnd = R"(  _arguments -s : $arguments
}

_r1fit_names() {
  compadd -M 'm:{a-zA-Z}={A-Za-z}' "${@[1,-2]}" -a "${@[-1]}"
}

_r1fit_configurations() {
  if compset -P '*:'; then
    _r1fit_names "$@" quants
  else
    _r1fit_names "$@" models
  fi
}

# Called by compinit's own loading of this file, or read by `source`.
if [[ $funcstack[1] == _r1fit ]]; then
  _r1fit "$@"
else
  compdef _r1fit r1fit
fi
)";

std::string zsh_script(const ProgramDoc& program, const Catalog& catalog) {
  std::string text =
      "#compdef r1fit\n"
      "# Completion of r1fit in zsh, made by `r1fit completion zsh`: put it as _r1fit into a folder of "
      "$fpath,\n"
      "# or source it after compinit.\n\n"
      "_r1fit() {\n"
      "  local -a models quants gpus hosts hardware engines names commands arguments\n";
  for (const NameList& list : name_lists(catalog))
    text += "  " + std::string(list.word) + "=(" + list.names + ")\n";
  text += "  hardware=($gpus $hosts)\n  names=($models $quants $gpus $hosts $engines)\n  commands=(\n";
  for (const CommandDoc& command : program.commands)
    text += "    " + zsh_quoted(std::string(command.word) + ":" + std::string(command.summary)) + "\n";
  text +=
      "  )\n\n"
      "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=recommend\n"
      "  if [[ $words[2] == -* ]]; then\n"
      "    arguments=(" +
      zsh_flag(program.version_flag) +
      ")\n"
      "  else\n"
      "    command=$words[2]\n"
      "    shift words\n"
      "    (( CURRENT-- ))\n"
      "  fi\n";
  const auto argument = [](const Place& place, std::size_t at) {
    const std::string number = place.more ? "*" : std::to_string(at + 1);
    return zsh_quoted(number + ":" + place.type + ":" + zsh_action(place.value));
  };
  return text + cases(branches_of(flag_uses(program.commands), zsh_flag), "arguments") +
         cases(branches_of(program.commands, argument), "arguments") + std::string(kZshEnd);
}

// ---- fish -------------------------------------------------------------------------------------------------

std::string fish_quoted(std::string text) {
  replace_all(text, "\\", "\\\\");
  return quoted(std::move(text), "\\'");
}

/// The options of `complete` that say what a value is.
std::string fish_value(const Value& value) {
  switch (value.source) {
    case Source::nothing:
      return "";
    case Source::words:
      return " -a '" + joined(value.words, " ") + "'";
    case Source::files:
      return " -F";
    case Source::folders:
      return " -a '(__fish_complete_directories)'";
    case Source::configurations:
      return " -a '(__r1fit_configurations)'";
    case Source::hardware:
      return " -a '$__r1fit_gpus $__r1fit_hosts'";
    case Source::names:
      return " -a '$__r1fit_models $__r1fit_quants $__r1fit_gpus $__r1fit_hosts $__r1fit_engines'";
    default:
      return " -a '$__r1fit_" + std::string(word_of(value.source)) + "'";
  }
}

std::string fish_names(const FlagDoc& flag) {
  std::string text;
  for (const std::string_view name : names_of(flag))
    text +=
        name.starts_with("--") ? " -l " + std::string(name.substr(2)) : " -s " + std::string(name.substr(1));
  return text;
}

constexpr std::string_view kFishFunctions = R"(
# The command on the line; recommend where there is none.
function __r1fit_command
    set -l words (commandline -opc)
    if set -q words[2]; and not string match -q -- '-*' $words[2]
        echo $words[2]
    else
        echo recommend
    end
end

# Whether the command is one of COMMANDS, argument 1, and none of the flags that follow was given.
function __r1fit_takes
    contains -- (__r1fit_command) (string split ' ' -- $argv[1]); or return 1
    set -l words (commandline -opc)
    # A flag that waits for its value is being given.
    contains -- $words[-1] $__r1fit_valued; and set -e words[-1]
    for word in $words
        contains -- (string replace -r -- '=.*' '' $word) $argv[2..]; and return 1
    end
    return 0
end

# Whether the command is one of COMMANDS, argument 1, and its next word is that of PLACE, argument 2,
# counted from 0, or a later one where there may be more.
function __r1fit_at
    contains -- (__r1fit_command) (string split ' ' -- $argv[1]); or return 1
    set -l words (commandline -opc)
    set -l place 0
    set -l awaited 0
    for word in $words[3..]
        if test $awaited = 1
            set awaited 0
        else if contains -- $word $__r1fit_valued
            set awaited 1
        else if not string match -q -- '-*' $word
            set place (math $place + 1)
        end
    end
    test $place = $argv[2]; or begin
        set -q argv[3]; and test $place -gt $argv[2]
    end
end

function __r1fit_configurations
    set -l current (commandline -ct | string trim -l -c '"\'')
    if string match -q -- '*:*' $current
        printf '%s\n' (string replace -r -- ':.*' ':' $current)$__r1fit_quants
    else
        printf '%s\n' $__r1fit_models
    end
end

complete -c r1fit -e
complete -c r1fit -f
)";

std::string fish_script(const ProgramDoc& program, const Catalog& catalog) {
  const std::vector<FlagUse> uses = flag_uses(program.commands);
  std::string text =
      "# Completion of r1fit in fish 3.1 or newer, made by `r1fit completion fish`: put it as r1fit.fish "
      "into\n"
      "# ~/.config/fish/completions, or source it.\n\n";
  for (const NameList& list : name_lists(catalog))
    text += "set -g __r1fit_" + std::string(list.word) + " " + list.names + "\n";
  std::vector<std::string_view> valued;
  for (const FlagUse& use : uses) {
    if (use.flag->type.empty()) continue;
    for (const std::string_view name : names_of(*use.flag)) {
      if (std::ranges::find(valued, name) == valued.end()) valued.push_back(name);
    }
  }
  text += "# The flags that take a value.\nset -g __r1fit_valued " + joined(valued, " ") + "\n";
  text += kFishFunctions;

  const std::string first = "test (count (commandline -opc)) = 1";
  for (const CommandDoc& command : program.commands) {
    text += "complete -c r1fit -n '" + first + "' -a " + std::string(command.word) + " -d " +
            fish_quoted(std::string(command.summary)) + "\n";
  }
  text += "complete -c r1fit -n '" + first + "'" + fish_names(program.version_flag) + " -d " +
          fish_quoted(program.version_flag.help) + "\n";
  for (const FlagUse& use : uses) {
    const std::string once = use.flag->repeatable ? "" : " " + joined(names_of(*use.flag), " ");
    const Value value = value_of(*use.flag);
    const std::string wants = use.flag->type.empty() ? "" : value.source == Source::files ? " -r" : " -x";
    text += "complete -c r1fit -n '__r1fit_takes \"" + joined(use.commands, " ") + "\"" + once + "'" +
            fish_names(*use.flag) + wants + fish_value(value) + " -d " + fish_quoted(use.flag->help) + "\n";
  }
  const auto argument = [](const Place& place, std::size_t at) {
    return " " + std::to_string(at) + (place.more ? " more'" : "'") + fish_value(place.value);
  };
  for (const Branch& branch : branches_of(program.commands, argument)) {
    for (const std::string& line : branch.lines)
      text += "complete -c r1fit -n '__r1fit_at \"" + joined(branch.commands, " ") + "\"" + line + "\n";
  }
  return text;
}

}  // namespace

std::string completion_script(Shell shell, const ProgramDoc& program, const Catalog& catalog) {
  switch (shell) {
    case Shell::bash:
      return bash_script(program, catalog);
    case Shell::zsh:
      return zsh_script(program, catalog);
    case Shell::fish:
      return fish_script(program, catalog);
  }
  return {};
}

}  // namespace r1fit
