#include "gateway/config_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace braid::gateway {

namespace {

std::string message(const std::string& file, int line, int column, const std::string& key,
                    const std::string& expected) {
  std::string out = file;
  if (line > 0) out += fmt::format(":{}:{}", line, column);
  if (!key.empty()) out += fmt::format(": {}", key);
  return out + ": " + expected;
}

}  // namespace

ConfigError::ConfigError(std::string file, int line, int column, std::string key,
                         std::string expected)
    : std::runtime_error(message(file, line, column, key, expected)) {}

ConfigReader::ConfigReader(std::string file, YAML::Node node, std::string where)
    : file_(std::move(file)), node_(std::move(node)), where_(std::move(where)) {
  if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) fail_here("expected a mapping");
}

std::string ConfigReader::path(std::string_view key) const {
  return where_.empty() ? std::string(key) : fmt::format("{}.{}", where_, key);
}

std::optional<YAML::Node> ConfigReader::take(std::string_view key) {
  asked_.emplace_back(key);
  if (!node_.IsDefined() || !node_.IsMap()) return std::nullopt;
  YAML::Node value = node_[std::string(key)];
  if (!value.IsDefined()) return std::nullopt;
  return value;
}

bool ConfigReader::has(std::string_view key) { return take(key).has_value(); }

ConfigReader ConfigReader::section(std::string_view key) {
  const std::optional<YAML::Node> node = take(key);
  return ConfigReader(file_, node ? *node : YAML::Node(YAML::NodeType::Undefined), path(key));
}

std::vector<ConfigReader> ConfigReader::sections(std::string_view key) {
  const std::optional<YAML::Node> node = take(key);
  if (!node || !node->IsSequence() || node->size() == 0) {
    fail(key, "expected a list with at least one entry");
  }
  std::vector<ConfigReader> out;
  for (std::size_t i = 0; i < node->size(); ++i) {
    out.emplace_back(file_, (*node)[i], fmt::format("{}[{}]", path(key), i));
  }
  return out;
}

void ConfigReader::fail_at(const YAML::Node& node, std::string_view key,
                           std::string_view expected) const {
  const YAML::Mark mark = node.Mark();
  throw ConfigError(file_, mark.is_null() ? 0 : mark.line + 1, mark.is_null() ? 0 : mark.column + 1,
                    path(key), std::string(expected));
}

void ConfigReader::fail(std::string_view key, std::string_view expected) const {
  if (node_.IsDefined() && node_.IsMap()) {
    const YAML::Node value = node_[std::string(key)];
    fail_at(value.IsDefined() ? value : node_, key, expected);
  }
  throw ConfigError(file_, 0, 0, path(key), std::string(expected));
}

void ConfigReader::fail_here(std::string_view expected) const {
  const YAML::Mark mark = node_.Mark();
  throw ConfigError(file_, mark.line + 1, mark.column + 1, where_, std::string(expected));
}

void ConfigReader::finish() const {
  if (!node_.IsDefined() || !node_.IsMap()) return;
  for (const auto& entry : node_) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
    const auto nearest = std::min_element(asked_.begin(), asked_.end(),
                                          [&](const std::string& a, const std::string& b) {
                                            return edit_distance(key, a) < edit_distance(key, b);
                                          });
    fail_at(entry.first, key,
            nearest == asked_.end()
                ? std::string("unknown key")
                : fmt::format("unknown key; the nearest known one is \"{}\"", *nearest));
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace braid::gateway
