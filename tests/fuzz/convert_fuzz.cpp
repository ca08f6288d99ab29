// fuzz-libraries: braid_wire

// A Convert message at the head of a stream: what is read can be written in no more bytes and means
// the same; a shorter stream asks for more and never changes its mind.
#include <vector>

#include "stack/base/ensure.h"
#include "stack/wire/convert.h"

using namespace braid;
using namespace braid::wire;

namespace {

void check_message(const ConvertMessage& message, std::size_t longest) {
  describe(message);
  const std::vector<std::uint8_t> written = write_convert(message);
  ENSURE(written.size() <= longest);
  const ConvertParseResult again = parse_convert(written);
  ENSURE(std::holds_alternative<ConvertMessage>(again));
  ENSURE(std::get<ConvertMessage>(again) == message);
  ENSURE(std::get<ConvertMessage>(again).length == written.size());
}

// What a converter answers to a message it refuses must itself be a message.
void check_answer(Bytes stream, const ConvertMalformed& malformed) {
  ConvertMessage answer;
  switch (malformed.reason) {
    case ConvertMalformed::Reason::kUnsupportedVersion:
      answer.tlvs = {ConvertError::with_list(ConvertErrorCode::kUnsupportedVersion,
                                             Bytes(&kConvertVersion, 1))};
      break;
    case ConvertMalformed::Reason::kUnsupportedTlv:
      answer.tlvs = {ConvertError::with_echo(ConvertErrorCode::kUnsupportedMessage, stream)};
      break;
    default: answer.tlvs = {ConvertError::with_value(ConvertErrorCode::kMalformedMessage, 0)};
  }
  check_message(answer, kMaxConvertBytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes stream(data, size);
  const ConvertParseResult result = parse_convert(stream);
  if (const auto* message = std::get_if<ConvertMessage>(&result)) {
    ENSURE(message->length >= kConvertHeaderBytes && message->length <= size);
    check_message(*message, message->length);
  }
  if (const auto* malformed = std::get_if<ConvertMalformed>(&result)) {
    check_answer(stream, *malformed);
  }
  if (const auto* more = std::get_if<ConvertNeedMore>(&result)) {
    ENSURE(!more->total_length || *more->total_length > size);
  }
  for (std::size_t length = 0; length < size && length < 40; ++length) {
    const ConvertParseResult early = parse_convert(stream.first(length));
    ENSURE(std::holds_alternative<ConvertNeedMore>(early) || early == result);
  }
  return 0;
}
