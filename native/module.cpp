// The bindings: the only C++ file that names Python.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "cpu.hpp"

namespace nb = nanobind;

NB_MODULE(_native, m) {
    m.doc() = "The compiled core of chainrule.";

    m.def(
        "cpu_info",
        [] {
            nb::dict info;
            info["instruction_sets"] = chainrule::instruction_sets();
            info["cores"] = chainrule::core_count();
            return info;
        },
        "Instruction sets that this CPU and system offer, weakest first, and usable cores.");
}
