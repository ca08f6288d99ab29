// Reading the configuration again (SIGHUP): the file is checked whole, and a bad one changes
// nothing. Each outcome is one line of the log; so is the list of what only a new start can change.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "gateway/config.h"
#include "platform/log.h"

namespace braid::program {

inline platform::LogLevel log_level_of(gateway::CommonConfig::LogLevel level) {
  using Level = gateway::CommonConfig::LogLevel;
  switch (level) {
    case Level::kError: return platform::LogLevel::kError;
    case Level::kWarning: return platform::LogLevel::kWarning;
    case Level::kInfo: return platform::LogLevel::kInfo;
    case Level::kDebug: return platform::LogLevel::kDebug;
  }
  return platform::LogLevel::kInfo;
}

// `load` throws ConfigError; `role` is a Gateway or a Concentrator.
template <typename Config, typename Role>
void reload(const std::string& path, Config (*load)(const std::string&), Role& role) {
  try {
    const Config fresh = load(path);
    const std::vector<std::string> fixed = role.reconfigure(fresh);
    platform::log_info("{}: read again", path);
    if (!fixed.empty()) {
      platform::log_warning("{}: only a new start changes: {}", path, fmt::join(fixed, ", "));
    }
    platform::set_log_level(log_level_of(fresh.log));
  } catch (const gateway::ConfigError& error) {
    platform::log_error("{}; nothing was changed", error.what());
  }
}

}  // namespace braid::program
