def largest {α : Type} [LE α] [DecidableRel (α := α) (· ≤ ·)] (xs : List α) : Option α := sorry

variable {α : Type} [LE α] [DecidableRel (α := α) (· ≤ ·)]

theorem largest_none (xs : List α) : largest xs = none ↔ xs = [] := sorry

theorem largest_mem (xs : List α) (a : α) (h : largest xs = some a) : a ∈ xs := sorry
