structure Store.Item where
  id : Nat
  price : Nat := 7
  deriving Repr, DecidableEq

open Store in
@[inline] def Store.cheap (i : Item) : Bool := i.price < 10

def Store.count : List Store.Item → Nat
  | [] => 0
  | i :: rest => (if Store.cheap i then 1 else 0) + Store.count rest

namespace Store
protected theorem default_is_cheap (n : Nat) : cheap { id := n } = true := rfl
variable (xs : List Item) in
theorem count_le : count xs ≤ xs.length := by
  induction xs with
  | nil => exact Nat.le.refl
  | cons i rest ih =>
    simp only [count, List.length_cons]
    split <;> omega
