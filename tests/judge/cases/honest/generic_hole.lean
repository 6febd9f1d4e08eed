variable {α : Type} [LE α] [DecidableRel (α := α) (· ≤ ·)]

def largest : List α → Option α
  | [] => none
  | x :: xs => match largest xs with
    | none => some x
    | some y => if x ≤ y then some y else some x

theorem largest_none (xs : List α) : largest xs = none ↔ xs = [] := by
  cases xs with
  | nil => simp [largest]
  | cons x xs =>
    simp only [largest]
    split
    · simp
    · split <;> simp

theorem largest_mem (xs : List α) (a : α) (h : largest xs = some a) : a ∈ xs := by
  induction xs generalizing a with
  | nil => simp [largest] at h
  | cons x xs ih =>
    simp only [largest] at h
    split at h
    · simp_all
    · rename_i y hy
      split at h
      · simp only [Option.some.injEq] at h; subst h; exact List.mem_cons_of_mem _ (ih _ hy)
      · simp only [Option.some.injEq] at h; subst h; exact List.mem_cons_self
