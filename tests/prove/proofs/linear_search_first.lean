namespace LinearSearch

def find {α : Type} (p : α → Bool) : List α → Option Nat
  | [] => none
  | x :: xs => if p x then some 0 else (find p xs).map (· + 1)

theorem find_none {α : Type} (p : α → Bool) (xs : List α) :
    find p xs = none ↔ ∀ x, x ∈ xs → p x = false := by
  induction xs with
  | nil => simp [find]
  | cons x xs ih => by_cases h : p x = true <;> simp [find, h, ih]

theorem find_some {α : Type} (p : α → Bool) (xs : List α) (i : Nat)
    (h : find p xs = some i) :
    (∃ x, xs[i]? = some x ∧ p x = true) ∧
      ∀ j, j < i → ∀ y, xs[j]? = some y → p y = false := by
  induction xs generalizing i with
  | nil => simp [find] at h
  | cons x xs ih =>
    by_cases hx : p x = true
    · simp [find, hx] at h
      subst h
      exact ⟨⟨x, by simp, hx⟩, fun j hj => absurd hj (Nat.not_lt_zero j)⟩
    · simp [find, hx] at h
      obtain ⟨k, hk, rfl⟩ := h
      obtain ⟨⟨y, hy, hp⟩, hall⟩ := ih k hk
      refine ⟨⟨y, by simpa using hy, hp⟩, ?_⟩
      intro j hj z hz
      cases j with
      | zero =>
        simp at hz
        subst hz
        simpa using hx
      | succ j => exact hall j (by omega) z (by simpa using hz)

end LinearSearch
