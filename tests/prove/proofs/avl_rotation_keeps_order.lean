namespace AvlRotation

inductive Tree where
  | leaf : Tree
  | node : Tree → Int → Tree → Tree

def height : Tree → Nat
  | .leaf => 0
  | .node l _ r => max (height l) (height r) + 1

def keys : Tree → List Int
  | .leaf => []
  | .node l x r => keys l ++ x :: keys r

def Ordered (t : Tree) : Prop := (keys t).Pairwise (· < ·)

def Balanced : Tree → Prop
  | .leaf => True
  | .node l _ r =>
    Balanced l ∧ Balanced r ∧ height l ≤ height r + 1 ∧ height r ≤ height l + 1

def rotateRight : Tree → Tree
  | .node (.node a x b) y c => .node a x (.node b y c)
  | t => t

def rotateLeft : Tree → Tree
  | .node a x (.node b y c) => .node (.node a x b) y c
  | t => t

def left : Tree → Tree
  | .leaf => .leaf
  | .node l _ _ => l

def right : Tree → Tree
  | .leaf => .leaf
  | .node _ _ r => r

/-- Join two trees of which one may be too high by one. -/
def join (l : Tree) (x : Int) (r : Tree) : Tree :=
  if height r + 1 < height l then
    if height (left l) < height (right l) then rotateRight (.node (rotateLeft l) x r)
    else rotateRight (.node l x r)
  else if height l + 1 < height r then
    if height (right r) < height (left r) then rotateLeft (.node l x (rotateRight r))
    else rotateLeft (.node l x r)
  else .node l x r

theorem keys_rotateRight (t : Tree) : keys (rotateRight t) = keys t := by
  unfold rotateRight
  split <;> simp [keys]

theorem keys_rotateLeft (t : Tree) : keys (rotateLeft t) = keys t := by
  unfold rotateLeft
  split <;> simp [keys]

theorem join_ordered (l : Tree) (x : Int) (r : Tree) (h : Ordered (.node l x r)) :
    Ordered (join l x r) := by
  have same : keys (join l x r) = keys (.node l x r) := by
    unfold join
    repeat' split
    all_goals simp [keys_rotateRight, keys_rotateLeft, keys]
  unfold Ordered
  rw [same]
  exact h

theorem join_balanced (l : Tree) (x : Int) (r : Tree) (hl : Balanced l) (hr : Balanced r)
    (h1 : height l ≤ height r + 2) (h2 : height r ≤ height l + 2) :
    Balanced (join l x r) := by
  unfold join
  split
  · cases l with
    | leaf => simp [height] at *
    | node a y b =>
      simp only [left, right]
      split
      · cases b with
        | leaf => simp [height] at *
        | node b z c =>
          simp only [rotateLeft, rotateRight, Balanced, height] at *
          and_intros
          all_goals first | exact hr | exact hl.1 | exact hl.2.1.1 | exact hl.2.1.2.1 | omega
      · simp only [rotateRight, Balanced, height] at *
        and_intros
        all_goals first | exact hr | exact hl.1 | exact hl.2.1 | omega
  · split
    · cases r with
      | leaf => simp [height] at *
      | node b y c =>
        simp only [left, right]
        split
        · cases b with
          | leaf => simp [height] at *
          | node a z b =>
            simp only [rotateLeft, rotateRight, Balanced, height] at *
            and_intros
            all_goals first | exact hl | exact hr.1.1 | exact hr.1.2.1 | exact hr.2.1 | omega
        · simp only [rotateLeft, Balanced, height] at *
          and_intros
          all_goals first | exact hl | exact hr.1 | exact hr.2.1 | omega
    · exact ⟨hl, hr, by omega, by omega⟩

end AvlRotation
