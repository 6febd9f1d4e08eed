prelude

universe u
inductive Nat | zero
inductive Eq {α : Sort u} (a : α) : α → Prop | refl : Eq a a
theorem hundred : Eq Nat.zero Nat.zero := Eq.refl
