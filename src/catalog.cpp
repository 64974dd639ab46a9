#include "r1fit/catalog.hpp"

namespace r1fit {

Text word(Confidence value) {
  switch (value) {
    case Confidence::high:
      return "high";
    case Confidence::medium:
      return "medium";
    case Confidence::low:
      return "low";
  }
  return "";
}

Text word(Vendor value) {
  switch (value) {
    case Vendor::nvidia:
      return "nvidia";
    case Vendor::amd:
      return "amd";
    case Vendor::apple:
      return "apple";
    case Vendor::intel:
      return "intel";
    case Vendor::other:
      return "other";
  }
  return "";
}

Text word(DeviceClass value) {
  switch (value) {
    case DeviceClass::desktop:
      return "desktop";
    case DeviceClass::laptop:
      return "laptop";
    case DeviceClass::workstation:
      return "workstation";
    case DeviceClass::datacenter:
      return "datacenter";
    case DeviceClass::soc:
      return "soc";
  }
  return "";
}

Text word(Backend value) {
  switch (value) {
    case Backend::cuda:
      return "cuda";
    case Backend::rocm:
      return "rocm";
    case Backend::metal:
      return "metal";
    case Backend::vulkan:
      return "vulkan";
    case Backend::sycl:
      return "sycl";
    case Backend::cpu:
      return "cpu";
  }
  return "";
}

Text title(Backend value) {
  switch (value) {
    case Backend::cuda:
      return "CUDA";
    case Backend::rocm:
      return "ROCm";
    case Backend::metal:
      return "Metal";
    case Backend::vulkan:
      return "Vulkan";
    case Backend::sycl:
      return "SYCL";
    case Backend::cpu:
      return "the CPU";
  }
  return "";
}

Text word(Kernel value) {
  switch (value) {
    case Kernel::plain:
      return "plain";
    case Kernel::simple:
      return "simple";
    case Kernel::k_quant:
      return "k_quant";
    case Kernel::k_low:
      return "k_low";
    case Kernel::i_quant:
      return "i_quant";
  }
  return "";
}

Text word(TensorRole value) {
  switch (value) {
    case TensorRole::token_embd:
      return "token_embd";
    case TensorRole::output:
      return "output";
    case TensorRole::attn_q:
      return "attn_q";
    case TensorRole::attn_k:
      return "attn_k";
    case TensorRole::attn_v:
      return "attn_v";
    case TensorRole::attn_output:
      return "attn_output";
    case TensorRole::ffn_gate:
      return "ffn_gate";
    case TensorRole::ffn_up:
      return "ffn_up";
    case TensorRole::ffn_down:
      return "ffn_down";
    case TensorRole::attn_q_a:
      return "attn_q_a";
    case TensorRole::attn_q_b:
      return "attn_q_b";
    case TensorRole::attn_kv_a:
      return "attn_kv_a";
    case TensorRole::attn_k_b:
      return "attn_k_b";
    case TensorRole::attn_v_b:
      return "attn_v_b";
    case TensorRole::attn_kv_b:
      return "attn_kv_b";
  }
  return "";
}

Text word(LayerSet value) {
  switch (value) {
    case LayerSet::all:
      return "all";
    case LayerSet::first:
      return "first";
    case LayerSet::first_fraction:
      return "first_fraction";
    case LayerSet::middle:
      return "middle";
    case LayerSet::more_bits:
      return "more_bits";
  }
  return "";
}

Text word(ImatrixCase value) {
  switch (value) {
    case ImatrixCase::any:
      return "any";
    case ImatrixCase::with:
      return "with";
    case ImatrixCase::without:
      return "without";
  }
  return "";
}

Text word(PlacementMode value) {
  switch (value) {
    case PlacementMode::gpu:
      return "gpu";
    case PlacementMode::experts_on_host:
      return "experts_on_host";
    case PlacementMode::partial:
      return "partial";
    case PlacementMode::cpu:
      return "cpu";
  }
  return "";
}

Text word(Grade value) {
  switch (value) {
    case Grade::A:
      return "A";
    case Grade::B:
      return "B";
    case Grade::C:
      return "C";
  }
  return "";
}

std::array<Text, kBackends.size()> backend_words() {
  std::array<Text, kBackends.size()> words;
  for (std::size_t i = 0; i < words.size(); ++i) words.at(i) = word(kBackends.at(i));
  return words;
}

}  // namespace r1fit
