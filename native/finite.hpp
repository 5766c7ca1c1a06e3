// Whether all numbers of an array are finite.
#pragma once

namespace chainrule {

/// False if one of n numbers is NaN or infinite. Large arrays are shared by up to `threads`
/// threads.
template <typename T> bool all_finite(const T *numbers, long n, int threads);

} // namespace chainrule
