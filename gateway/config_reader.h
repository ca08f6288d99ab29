// ConfigReader: one YAML mapping being read, with the errors a person can act on.
//
// Each accessor marks its key as known; finish() complains about the first key nobody asked for and
// names the nearest one somebody did. The only file beside config.cpp that sees yaml-cpp.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config.h"

namespace braid::gateway {

class ConfigReader {
 public:
  // `node` must be a mapping (or absent when not required: then every key is). `where` is its key
  // path for messages, empty at the top.
  ConfigReader(std::string file, YAML::Node node, std::string where);

  bool has(std::string_view key);
  // The value converted by `convert`, or nothing when absent. `expected` describes what is right.
  template <typename T>
  std::optional<T> get(std::string_view key, std::string_view expected,
                       const std::function<std::optional<T>(const std::string&)>& convert) {
    const std::optional<YAML::Node> node = take(key);
    if (!node) return std::nullopt;
    return scalar<T>(*node, key, expected, convert);
  }
  // A list (or one bare value) of such.
  template <typename T>
  std::optional<std::vector<T>> get_list(
      std::string_view key, std::string_view expected,
      const std::function<std::optional<T>(const std::string&)>& convert) {
    const std::optional<YAML::Node> node = take(key);
    if (!node) return std::nullopt;
    std::vector<T> out;
    if (!node->IsSequence()) {
      out.push_back(scalar<T>(*node, key, expected, convert));
      return out;
    }
    for (const YAML::Node& item : *node) out.push_back(scalar<T>(item, key, expected, convert));
    return out;
  }
  // A mapping under `key`; empty when absent.
  ConfigReader section(std::string_view key);
  // Each element of a list of mappings; fails unless it is one.
  std::vector<ConfigReader> sections(std::string_view key);

  [[noreturn]] void fail(std::string_view key, std::string_view expected) const;
  [[noreturn]] void fail_here(std::string_view expected) const;
  // Every key must have been asked for.
  void finish() const;

 private:
  std::optional<YAML::Node> take(std::string_view key);
  std::string path(std::string_view key) const;
  [[noreturn]] void fail_at(const YAML::Node& node, std::string_view key,
                            std::string_view expected) const;
  template <typename T>
  T scalar(const YAML::Node& node, std::string_view key, std::string_view expected,
           const std::function<std::optional<T>(const std::string&)>& convert) const {
    if (node.IsScalar()) {
      if (std::optional<T> value = convert(node.Scalar())) return *value;
    }
    fail_at(node, key, expected);
  }

  std::string file_;
  YAML::Node node_;
  std::string where_;
  std::vector<std::string> asked_;
};

// Edit distance between two words (insert, delete, replace), for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace braid::gateway
