namespace BstOrder

inductive Tree where
  | leaf : Tree
  | node : Tree → Nat → Tree → Tree

def insert (k : Nat) : Tree → Tree
  | .leaf => .node .leaf k .leaf
  | .node l x r =>
    if k < x then .node (insert k l) x r
    else if x < k then .node l x (insert k r)
    else .node l x r

theorem insert_comm (j k : Nat) (t : Tree) : insert j (insert k t) = insert k (insert j t) := sorry

end BstOrder
