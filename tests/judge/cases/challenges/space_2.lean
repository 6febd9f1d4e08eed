namespace Store

structure Item where
  id : Nat
  price : Nat := 7
  deriving DecidableEq, Repr, BEq

def cheap (i : Item) : Bool := i.price < 10

def count : List Item → Nat
  | [] => 0
  | i :: rest => (if cheap i then 1 else 0) + count rest

theorem count_le (xs : List Item) : count xs ≤ xs.length := sorry

theorem default_is_cheap (n : Nat) : cheap { id := n } = true := sorry

end Store
