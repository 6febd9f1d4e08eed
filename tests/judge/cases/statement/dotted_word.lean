namespace Store
structure Item where
  id : Nat
  price : Nat := 7
  deriving DecidableEq, Repr, BEq
def cheap (i : Item) : Bool := i.price < 10
def count : List Item → Nat
  | [] => 0
  | i :: rest => (if cheap i then 1 else 0) + count rest
theorem default_is_cheap (n : Nat) : cheap { id := n } = true := rfl
end Store
theorem «Store.count_le» (xs : List Store.Item) : Store.count xs ≤ xs.length := by
  induction xs with
  | nil => exact Nat.le.refl
  | cons i rest ih =>
    simp only [Store.count, List.length_cons]
    split <;> omega
