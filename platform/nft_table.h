// NftTable: the owner of braid's nftables table. The kernel removes the table when this object
// goes, or when the process dies in whatever way.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct nft_ctx;

namespace braid::platform {

class NftTable {
 public:
  // Speaks to the network namespace of the caller. Nothing is loaded yet.
  NftTable();
  NftTable(const NftTable&) = delete;
  NftTable& operator=(const NftTable&) = delete;
  ~NftTable();

  // Loads a text of nft_text(), in place of the former one, atomically. Nothing on success; else
  // the reason in one line, and the former table stays. A table another process owns is such a
  // reason.
  std::optional<std::string> load(const std::string& text);

 private:
  struct Free {
    void operator()(nft_ctx* context) const;
  };
  std::unique_ptr<nft_ctx, Free> context_;
};

// Chains of whatever table that drop forwarded packets by policy ("ip filter FORWARD"), which would
// keep LAN hosts from reaching the TUN. Empty also when the rules cannot be read.
std::vector<std::string> forward_drop_chains();
// The same out of the text of `nft list chains`.
std::vector<std::string> parse_forward_drop_chains(const std::string& listing);

}  // namespace braid::platform
