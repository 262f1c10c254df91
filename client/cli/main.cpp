// ringcast-cli: the command line of a Ringcast broker, or of any other WAMP router.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "client/cli/call.h"
#include "client/cli/exit_code.h"
#include "client/cli/genhash.h"
#include "client/cli/genkey.h"
#include "client/cli/gentoken.h"
#include "client/cli/meta.h"
#include "client/cli/publish.h"
#include "client/cli/register.h"
#include "client/cli/subscribe.h"
#include "client/cli/words.h"

namespace ringcast::cli {
namespace {

int main(int argc, char** argv) {
  CLI::App app("The command line of a Ringcast broker, or of any other WAMP router.",
               "ringcast-cli");
  app.set_version_flag("--version", "ringcast-cli " RINGCAST_VERSION);
  app.require_subcommand(1);
  app.footer(std::string("ringcast-cli COMMAND --help shows a command's options and examples.\n") +
             kExitCodesHelp);
  const std::vector<Command> commands = {
      add_publish(app), add_subscribe(app), add_call(app),     add_register(app),
      add_meta(app),    add_genhash(app),   add_gentoken(app), add_genkey(app),
  };
  try {
    app.parse(marked_words(argc, argv));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  for (const Command& command : commands) {
    if (command.app->parsed()) return command.run();
  }
  return kExitUsage;
}

}  // namespace
}  // namespace ringcast::cli

int main(int argc, char** argv) { return ringcast::cli::main(argc, argv); }
