// braid: one program, two roles. Reads the command line and the configuration, starts the role, and
// turns what stands in its way into one line on stderr.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "gateway/config.h"
#include "gateway/program/concentrator_program.h"
#include "gateway/program/gateway_program.h"
#include "gateway/program/reload.h"
#include "gateway/program/start_error.h"
#include "platform/log.h"

namespace {

using namespace braid;

void run_gateway(const std::string& path) {
  const gateway::GatewayConfig config = gateway::load_gateway_config(path);
  platform::set_log_level(program::log_level_of(config.log));
  program::GatewayProgram(config, path).run();
}

void run_concentrator(const std::string& path) {
  const gateway::ConcentratorConfig config = gateway::load_concentrator_config(path);
  platform::set_log_level(program::log_level_of(config.log));
  program::ConcentratorProgram(config, path).run();
}

void check(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw gateway::ConfigError(path, 0, 0, "", "cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  if (gateway::role_of(text.str(), path) == gateway::Role::kGateway) {
    gateway::parse_gateway_config(text.str(), path);
    std::printf("%s: a gateway's configuration, good\n", path.c_str());
  } else {
    gateway::parse_concentrator_config(text.str(), path);
    std::printf("%s: a concentrator's configuration, good\n", path.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("braid bonds several uplinks into one with Multipath TCP", "braid");
  app.require_subcommand(1);
  std::string path;
  CLI::App* gateway_command = app.add_subcommand("gateway", "run the LAN's end");
  gateway_command->add_option("-c,--config", path, "configuration file")->required();
  CLI::App* concentrator_command = app.add_subcommand("concentrator", "run the far end");
  concentrator_command->add_option("-c,--config", path, "configuration file")->required();
  CLI::App* check_command = app.add_subcommand("check", "validate a configuration file");
  check_command->add_option("file", path, "configuration file")->required();
  CLI11_PARSE(app, argc, argv);

  try {
    if (*gateway_command) run_gateway(path);
    if (*concentrator_command) run_concentrator(path);
    if (*check_command) check(path);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "braid: %s\n", e.what());
    return 1;
  }
  return 0;
}
