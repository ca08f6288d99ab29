// Log: one line per event to stderr, with time and level. Never called per packet.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace braid::platform {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Lines below this level are left out; kInfo at start.
void set_log_level(LogLevel level);
bool log_enabled(LogLevel level);
// Writes one line; control characters in `text` become spaces, so a name from outside cannot forge
// a second line.
void log_line(LogLevel level, std::string_view text);
// The line as log_line writes it, without the time.
std::string format_log_line(LogLevel level, std::string_view text);

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(level)) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::kDebug, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::kInfo, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::kWarning, format, std::forward<Args>(args)...);
}
template <typename... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log(LogLevel::kError, format, std::forward<Args>(args)...);
}

}  // namespace braid::platform
