namespace BinaryAdd

def bit (b : Bool) : Nat := if b then 1 else 0

def value : List Bool → Nat
  | [] => 0
  | b :: bs => bit b + 2 * value bs

def add (carry : Bool) : List Bool → List Bool → List Bool
  | [], [] => if carry then [true] else []
  | [], b :: bs => (b ^^ carry) :: add (b && carry) [] bs
  | a :: as, [] => (a ^^ carry) :: add (a && carry) as []
  | a :: as, b :: bs => (a ^^ b ^^ carry) :: add ((a && b) || (carry && (a ^^ b))) as bs
termination_by as bs => as.length + bs.length

theorem value_add (carry : Bool) (as bs : List Bool) :
    value (add carry as bs) = value as + value bs + bit carry := sorry

theorem length_add (carry : Bool) (as bs : List Bool) :
    (add carry as bs).length ≤ max as.length bs.length + 1 := sorry

end BinaryAdd
