// The words of the command line as people mean them, where CLI11 means something else: it takes a
// word in brackets for a list of its own making, where here it is a JSON array; and in a command
// whose arguments are optional it does not know `--`, after which nothing is an option. A mark in
// front of such words hides them while it parses; typed() takes it off again. Stateless.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ringcast::cli {

// argv[1] and so on, in the order in which CLI::App::parse wants them: the last one first.
std::vector<std::string> marked_words(int argc, char** argv);

// For each option and argument that takes text, before its other checks are added.
CLI::Option* typed(CLI::Option* option);

}  // namespace ringcast::cli
