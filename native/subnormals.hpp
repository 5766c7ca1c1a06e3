// The arithmetic of every thread that computes: no subnormal numbers.
#pragma once

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace chainrule::CHAINRULE_ISA {

// Subnormal numbers are zero while this lives: processors handle them in slow microcode.
// The thread's own setting comes back at the end, for the thread may not be ours.
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
    // Another architecture: its arithmetic stays as it is.
    FlushSubnormals() {}

  private:
#endif
    FlushSubnormals(const FlushSubnormals &) = delete;
};

} // namespace chainrule::CHAINRULE_ISA
