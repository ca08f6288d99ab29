// Link settings as words: "rate=50mbit delay=10ms queue=100ms loss=1% up:rate=10mbit".
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/sim/link_settings.h"

namespace braid::linkemu {

struct TextError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Both directions of a link: up is A -> B, down is B -> A.
struct DuplexSettings {
  sim::LinkSettings up;
  sim::LinkSettings down;
};

// Applies words on top of `settings`. A word without "up:" or "down:" goes for both directions.
// Throws TextError naming the word that was not understood.
void apply_words(std::span<const std::string> words, DuplexSettings& settings);

// The words themselves, for help texts.
extern const char* const kSettingsHelp;

// "50mbit", "1.5gbit", "300kbit", "9600bit"; "unlimited" is zero. Throws TextError.
Rate parse_rate(std::string_view text);
// "10ms", "100us", "2s", "0.5s". Throws TextError.
Duration parse_duration(std::string_view text);

// One line that apply_words reads back.
std::string describe(const sim::LinkSettings& settings);

}  // namespace braid::linkemu
