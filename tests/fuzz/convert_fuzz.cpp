// fuzz-libraries: braid_wire

// A Convert message at the head of a stream: what is read can be written in no more bytes and means
// the same; a shorter stream asks for more and never changes its mind.
#include <vector>

#include "stack/base/ensure.h"
#include "stack/wire/convert.h"

using namespace braid;
using namespace braid::wire;

namespace {

void check_message(Bytes stream, const ConvertMessage& message) {
  describe(message);
  ENSURE(message.length >= kConvertHeaderBytes && message.length <= stream.size());
  const std::vector<std::uint8_t> written = write_convert(message);
  ENSURE(written.size() <= message.length);
  const ConvertParseResult again = parse_convert(written);
  ENSURE(std::holds_alternative<ConvertMessage>(again));
  ENSURE(std::get<ConvertMessage>(again) == message);
  ENSURE(std::get<ConvertMessage>(again).length == written.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes stream(data, size);
  const ConvertParseResult result = parse_convert(stream);
  if (const auto* message = std::get_if<ConvertMessage>(&result)) check_message(stream, *message);
  if (const auto* more = std::get_if<ConvertNeedMore>(&result)) {
    ENSURE(!more->total_length || *more->total_length > size);
  }
  for (std::size_t length = 0; length < size && length < 40; ++length) {
    const ConvertParseResult early = parse_convert(stream.first(length));
    ENSURE(std::holds_alternative<ConvertNeedMore>(early) || early == result);
  }
  return 0;
}
