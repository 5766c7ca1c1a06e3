// The hidden weight matrices of a network, whose steps O11 orthogonalises as a whole: their
// directions, and the work of orthogonalising them.
#pragma once

#include "crew.hpp"
#include "newton_schulz.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T> class Matrices {
  public:
    Matrices() = default;
    Matrices(const Matrices &) = delete;
    ~Matrices() {
        std::free(matrix_);
        std::free(directions_);
        std::free(squares_);
        std::free(memory_);
        std::free(scratch_);
    }

    // The multiplications of a step; products of symmetric matrices are half done.
    static double work(const Network &net) {
        double sum = 0;
        each(net, [&](const Block &block, long rows) { sum += work(rows, block.columns); });
        return sum;
    }

    // `faster`: for large matrices, or nullptr. Returns false if out of memory.
    bool prepare(const Network &net, const Orthogonaliser<T> *faster, double epsilon, int threads) {
        long elements = 0, rows_before = 0, of_memory = 0, of_scratch = 0;
        each(net, [&](const Block &, long) { ++count_; });
        if (count_ == 0) return true;
        matrix_ = allocate<Matrix>(count_);
        if (!matrix_) return false;
        Matrix *matrix = matrix_;
        long at = -1, before = -1;
        each(net, [&](const Block &block, long rows) {
            at = block.offset == before ? at + rows * block.columns : block.offset;
            before = block.offset;
            const long n = smaller(rows, block.columns), m = larger(rows, block.columns);
            const bool fast = faster && n >= least_fast;
            const Orthogonaliser<T> *own = fast ? faster : &orthogonaliser_of<T, PlainWords<T>>;
            *matrix = {at, rows, block.columns, elements, rows_before, of_memory, own, {}};
            matrix->of = {n, m, rows > block.columns, nullptr, nullptr, epsilon, nullptr};
            elements += rounded_up(rows * block.columns, 16);
            rows_before += rows;
            of_memory += rounded_up(own->elements(n, m), 64);
            of_scratch = larger(of_scratch, rounded_up(own->scratch(n), 64));
            ++matrix;
        });
        directions_ = allocate<T>(elements);
        squares_ = allocate<double>(rows_before);
        memory_ = allocate<T>(of_memory);
        scratch_ = allocate<T>(of_scratch * threads);
        scratch_size_ = of_scratch;
        for (long i = 0; i < count_; ++i) {
            Orthogonal<T> &of = matrix_[i].of;
            of.G = directions_ + matrix_[i].direction;
            of.squares = squares_ + matrix_[i].row;
            of.memory = memory_ + matrix_[i].memory;
        }
        return directions_ && squares_ && memory_ && scratch_;
    }

    long count() const { return count_; }

    // A row of a matrix, which begins at an offset of the flat vector: its direction, the place for
    // the direction's Σ G², and the size of the step, 0.2 √max(rows, columns).
    struct Row {
        T *direction;
        double *squares;
        T size;
    };
    Row row(long at) const {
        long first = 0, last = count_;
        while (last - first > 1) {
            const long middle = (first + last) / 2;
            (matrix_[middle].at <= at ? first : last) = middle;
        }
        const Matrix &found = matrix_[first];
        const long r = (at - found.at) / found.columns;
        return {directions_ + found.direction + r * found.columns, squares_ + found.row + r,
                T(0.2 * __builtin_sqrt(double(found.of.m)))};
    }

    // Replaces all directions by orthogonal ones, with all threads of the crew.
    void orthogonalise(Member &self, Crew &crew) const {
        T *const scratch = scratch_ + self.index * scratch_size_;
        const bool alone = apart(crew.threads());
        crew.distribute(self, count_, [&](long i) {
            if (alone || is_small(matrix_[i])) {
                for (int phase = 0; phase < orthogonal_phases; ++phase)
                    all_blocks(matrix_[i], phase, scratch);
            }
            return true;
        });
        if (alone) return;
        for (int phase = 0; phase < orthogonal_phases; ++phase) {
            crew.barrier(self);
            long blocks = 0;
            for (long i = 0; i < count_; ++i)
                blocks += shared_blocks(matrix_[i]);
            crew.distribute(self, blocks, [&](long item) {
                const Matrix *matrix = matrix_;
                for (; item >= shared_blocks(*matrix); ++matrix)
                    item -= shared_blocks(*matrix);
                matrix->own->run(matrix->of, phase, item, scratch);
                return true;
            });
        }
    }

  private:
    struct Matrix {
        long at; // offset in the flat vector
        long rows, columns;
        long direction, row, memory; // offsets in the arrays of all matrices
        const Orthogonaliser<T> *own;
        Orthogonal<T> of;
    };

    // Smaller matrices gain little from faster products, for which their numbers are packed.
    static constexpr long least_fast = 64;

    static double work(double rows, double columns) {
        const double n = rows < columns ? rows : columns, m = rows < columns ? columns : rows;
        return newton_schulz_steps * n * n * (1.5 * m + 0.5 * n);
    }
    // One thread orthogonalises a small matrix faster than several can with a barrier at each
    // phase.
    bool is_small(const Matrix &matrix) const { return work(matrix.rows, matrix.columns) < 4e6; }

    // Whether each thread takes whole matrices: there is one thread, or matrices divide evenly.
    bool apart(int threads) const {
        if (threads == 1 || count_ >= 4l * threads) return true;
        bool small = true, equal = count_ % threads == 0;
        for (long i = 0; i < count_; ++i) {
            small &= is_small(matrix_[i]);
            equal &= matrix_[i].of.n == matrix_[0].of.n && matrix_[i].of.m == matrix_[0].of.m;
        }
        return small || equal;
    }

    long shared_blocks(const Matrix &matrix) const {
        return is_small(matrix) ? 0 : matrix.own->blocks(matrix.of.n);
    }
    void all_blocks(const Matrix &matrix, int phase, T *scratch) const {
        for (long item = 0; item < matrix.own->blocks(matrix.of.n); ++item)
            matrix.own->run(matrix.of, phase, item, scratch);
    }

    // Calls f(block, rows of a matrix) for each matrix of each block, in their order.
    template <typename F> static void each(const Network &net, F &&f) {
        for (int l = 0; l < net.count; ++l) {
            const Layer &layer = net.layers[l];
            for (int b = 0; b < layer.block_count; ++b) {
                const Block &block = layer.blocks[b];
                for (long i = 0; i < block.hidden; ++i)
                    f(block, block.rows / block.hidden);
            }
        }
    }

    Matrix *matrix_ = nullptr;
    long count_ = 0, scratch_size_ = 0;
    T *directions_ = nullptr, *memory_ = nullptr, *scratch_ = nullptr;
    double *squares_ = nullptr; // Σ G² of each row
};

} // namespace chainrule::CHAINRULE_ISA
