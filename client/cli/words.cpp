#include "client/cli/words.h"

#include <algorithm>

namespace ringcast::cli {
namespace {

constexpr char kMark = '\x01';

}  // namespace

std::vector<std::string> marked_words(int argc, char** argv) {
  std::vector<std::string> words;
  bool only_arguments = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--" && !only_arguments) {
      only_arguments = true;
      continue;
    }
    const bool hide = only_arguments || (!word.empty() && (word[0] == '[' || word[0] == kMark));
    words.push_back(hide ? kMark + word : word);
  }
  std::reverse(words.begin(), words.end());
  return words;
}

CLI::Option* typed(CLI::Option* option) {
  return option->transform([](std::string word) {
    if (!word.empty() && word.front() == kMark) word.erase(0, 1);
    return word;
  });
}

}  // namespace ringcast::cli
