namespace Store
structure Item where
  price : Nat := 7
  id : Nat
  deriving DecidableEq, Repr, BEq
def cheap (i : Item) : Bool := i.price < 10
def count : List Item → Nat
  | [] => 0
  | i :: rest => (if cheap i then 1 else 0) + count rest
theorem default_is_cheap (n : Nat) : cheap { id := n } = true := rfl
theorem count_le (xs : List Item) : count xs ≤ xs.length := by
  induction xs with
  | nil => exact Nat.le.refl
  | cons i rest ih =>
    simp only [Store.count, List.length_cons]
    split <;> omega
end Store
