#include "stack/convert/client.h"

namespace braid::convert {

std::vector<std::uint8_t> connect_request(const wire::Endpoint& target) {
  wire::ConvertMessage message;
  message.tlvs.emplace_back(wire::ConvertConnect{.remote = target, .options = {}});
  return wire::write_convert(message);
}

std::vector<std::uint8_t> info_request() {
  wire::ConvertMessage message;
  message.tlvs.emplace_back(wire::ConvertInfo{});
  return wire::write_convert(message);
}

Reply read_reply(const Pipe& down) {
  ENSURE(down.released() == StreamOffset());
  const Slices head = down.peek(StreamOffset(), wire::kMaxConvertBytes);
  const std::vector<std::uint8_t> bytes = head.to_vector();
  const wire::ConvertParseResult result = wire::parse_convert(bytes);
  if (std::holds_alternative<wire::ConvertNeedMore>(result)) {
    if (down.complete()) return Nonsense{Nonsense::Reason::kStreamEnded};
    return Pending{};
  }
  const auto* message = std::get_if<wire::ConvertMessage>(&result);
  if (message == nullptr) return Nonsense{Nonsense::Reason::kMalformed};
  if (const auto* error = message->find<wire::ConvertError>()) return Refused{*error};
  Accepted accepted{.length = static_cast<std::uint32_t>(message->length), .supported_kinds = {}};
  if (const auto* extensions = message->find<wire::ConvertSupportedExtensions>()) {
    accepted.supported_kinds = extensions->kinds;
  }
  return accepted;
}

}  // namespace braid::convert
