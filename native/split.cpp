// Training and predictions with float32 products as sums of bfloat16 products in tiles.

#include "bfloat16_kernels.hpp"
#include "layers/dense_tiles.hpp"

namespace chainrule::CHAINRULE_ISA {

using Own = Bfloat16Kernels<DenseTiles<CHAINRULE_BYTES, 3>>;

extern const Kernels<float> split_kernels{Own::train, Own::loss, Own::forward, nullptr, nullptr};

} // namespace chainrule::CHAINRULE_ISA
