// Flushing subnormal numbers to zero in every computing thread.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace chainrule::CHAINRULE_ISA {

// Subnormal numbers count as zero during the lifetime of this object, since processors handle them
// in slow microcode. The destructor restores the thread's setting: the thread may be the caller's.
class FlushSubnormals {
  public:
#if defined(__SSE__)
    FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
    ~FlushSubnormals() { _mm_setcsr(before_); }

  private:
    unsigned before_;
#elif defined(__aarch64__)
    FlushSubnormals() {
        __asm__ volatile("mrs %0, fpcr" : "=r"(before_));
        __asm__ volatile("msr fpcr, %0" : : "r"(before_ | (1ul << 24)));
    }
    ~FlushSubnormals() { __asm__ volatile("msr fpcr, %0" : : "r"(before_)); }

  private:
    unsigned long before_;
#else
    // On other architectures, arithmetic is left unchanged.
    FlushSubnormals() {}

  private:
#endif
    FlushSubnormals(const FlushSubnormals &) = delete;
};

} // namespace chainrule::CHAINRULE_ISA
